#include "apart.h"

#include <base/jail.h>
#include <base/own.h>
#include <base/sys.h>
#include <bindright/source.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct br_span nowhere;

enum {
	TICK_MS = 100,
	/** Who did not look for so long was stopped himself (^Z), and the other one with him. */
	NAP_MS = 1000,
	/** How long one that was killed may take to go. */
	LAST_MS = 2000,
	/** A message: longer ones are cut. */
	MESSAGE = 32 << 10,
};

enum kind {
	/** The text says why there is no jail; none: there is. Value: it is only that something has
	 * run out. */
	READY = 1,
	ASK,
	DIAG,
	EXAMPLE,
	END,
};

struct message {
	uint32_t kind;
	/** ASK: what. DIAG: its severity. END: what work() answered. */
	int32_t value;
	/** ASK. */
	uint64_t which;
	/** Bytes of two texts, one behind the other, each with its NUL. */
	uint32_t first, second;
	char text[MESSAGE];
};

struct br_line {
	int fd;
};

// ---- The board ----

struct br_board *br_board_new(void) {
	void *p = mmap(NULL, sizeof(struct br_board), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void br_board_free(struct br_board *board) {
	if (board != NULL) {
		(void)munmap(board, sizeof(*board)); // It was mapped like that.
	}
}

void br_board_ask(struct br_board *board, const struct br_target *target, bool slow) {
	unsigned asks = target != NULL && target->remote ? target->number + 1 : 0;
	br_board_resume(board, asks != 0 && slow ? asks | BR_ASKS_SLOWLY : asks);
}

unsigned br_board_pause(struct br_board *board) {
	return board != NULL ? atomic_exchange(&board->asks, 0) : 0;
}

void br_board_resume(struct br_board *board, unsigned asks) {
	if (board != NULL) {
		br_board_beat(board);
		atomic_store(&board->asks, asks);
	}
}

// ---- Messages ----

/** A text with its NUL, cut where it has no room; what it took. */
static uint32_t put_text(char *room, size_t size, const char *text) {
	size_t n = text != NULL ? strnlen(text, size - 1) : 0;
	if (text != NULL) {
		memcpy(room, text, n);
	}
	room[n] = '\0';
	return (uint32_t)n + 1;
}

static int post(int fd, struct message *m, const char *first, const char *second) {
	m->first = put_text(m->text, sizeof(m->text) / 2, first);
	m->second = put_text(m->text + m->first, sizeof(m->text) / 2, second);
	size_t n = offsetof(struct message, text) + m->first + m->second;
	ssize_t sent;
	do {
		sent = send(fd, m, n, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n ? 0 : -1;
}

/** A whole message: 1, 0 at the end, -1. */
static int receive(int fd, struct message *m) {
	const size_t head = offsetof(struct message, text);
	ssize_t n;
	do {
		n = recv(fd, m, sizeof(*m), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		return (int)n;
	}
	errno = EPROTO;
	if ((size_t)n < head || m->first == 0 || m->second == 0 || m->first > sizeof(m->text)
		|| m->second > sizeof(m->text) || (size_t)n != head + m->first + m->second
		|| m->text[m->first - 1] != '\0' || m->text[m->first + m->second - 1] != '\0') {
		return -1;
	}
	return 1;
}

int br_line_ask(struct br_line *line, unsigned what, uint64_t which, struct br_served *out) {
	struct message m = {.kind = ASK, .value = (int32_t)what, .which = which};
	ssize_t n;
	if (post(line->fd, &m, NULL, NULL) < 0) {
		return -1;
	}
	do {
		n = recv(line->fd, out, sizeof(*out), 0);
	} while (n < 0 && errno == EINTR);
	out->why[sizeof(out->why) - 1] = '\0';
	out->line[sizeof(out->line) - 1] = '\0';
	return n == (ssize_t)sizeof(*out) ? 0 : -1;
}

// ---- Over there ----

struct covering {
	struct br_arena *arena;
	br_vec(const char *) paths;
	bool failed;
};

static void note_cover(void *context, const char *below, const char *type) {
	struct covering *c = context;
	(void)type;
	const char *path = br_strdup(c->arena, below);
	c->failed = c->failed || path == NULL || br_vec_push(c->arena, &c->paths, path) < 0;
}

/** What lies under mount points may be seen in the clone (those that are unbindable are not
 * cloned): nobody asked for that. */
static int note_covered(
	struct br_arena *arena, const struct br_mounts *mounts, struct br_target *t) {
	struct covering c = {.arena = arena};
	if (mounts == NULL) {
		return -1;
	}
	(void)br_mounts_below(mounts, t->real, note_cover, &c);
	if (c.failed || br_vec_push(arena, &c.paths, NULL) < 0) {
		return -1;
	}
	t->covered = c.paths.n > 1 ? c.paths.v : NULL;
	return 0;
}

/** It was unmounted with somebody at work in it (MNT_DETACH): such a one is not cloned. */
static bool is_detached(const struct br_target *t) {
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	return mounts != NULL && !br_mounts_holds(mounts, t->fd);
}

/**
 * With the mounts that lie in it, entered or not: they stay where they are when a directory on the
 * way to them is renamed, and keep out whoever does not cross them.
 */
static int clone_all(const struct br_apart *apart, int *clones, const char **what) {
	*what = "a mount cannot be cloned";
	for (size_t i = 0; i < apart->ntargets; i++) {
		const struct br_target *t = apart->targets[i];
		clones[i] = t->fd < 0 ? -1 : br_jail_mount(t->fd, true);
		if (t->fd >= 0 && clones[i] < 0 && errno == EINVAL && is_detached(t)) {
			*what = "a source was unmounted";
			errno = ESTALE;
		}
		if (t->fd >= 0 && clones[i] < 0) {
			return -1;
		}
	}
	*what = "the mounts cannot be read";
	br_auto(br_mounts_freep) struct br_mounts *mounts = apart->cross ? NULL : br_mounts_read();
	for (size_t i = 0; i < apart->ntargets && !apart->cross; i++) {
		if (note_covered(apart->arena, mounts, apart->targets[i]) < 0) {
			return -1;
		}
	}
	return 0;
}

static void use_clones(const struct br_apart *apart, const int *clones) {
	for (size_t i = 0; i < apart->ntargets; i++) {
		apart->targets[i]->fd = clones[i];
	}
}

static void forget_clones(const struct br_apart *apart, int *clones) {
	for (size_t i = 0; i < apart->ntargets; i++) {
		br_closep(&clones[i]);
		apart->targets[i]->covered = NULL;
	}
}

/** 0; -1 with errno and *what. */
static int enter_jail(const struct br_apart *apart, int fd, const char **what) {
	size_t n = apart->ntargets;
	int *keep = BR_NEW_ARRAY(apart->arena, int, n + 2);
	*what = "no memory";
	if (keep == NULL) {
		return -1;
	}
	memset(keep, -1, n * sizeof(*keep));
	keep[n] = fd;
	keep[n + 1] = apart->journal;
	if (clone_all(apart, keep, what) < 0 || br_jail_enter(keep, n + 2, what) < 0) {
		int err = errno;
		forget_clones(apart, keep);
		errno = err;
		return -1;
	}
	use_clones(apart, keep);
	return 0;
}

/**
 * Nothing that this kernel or this user cannot have: whoever wrote the input can bring it about, by
 * a thousand sources for one, or whoever may unmount one of them (ESTALE).
 */
static bool is_shortage(int err) {
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOSPC || err == EAGAIN
		|| err == ESTALE;
}

/** Say whether there is a jail, and wait for the word to go on. */
static int report_ready(const struct br_apart *apart, int fd) {
	struct message m = {.kind = READY};
	struct br_served go;
	const char *what = "";
	char why[200] = "";
	if (!apart->dry && enter_jail(apart, fd, &what) < 0) {
		m.value = is_shortage(errno);
		(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	}
	if (br_jail_drop(apart->caps, BR_APART_RESTING) < 0 && why[0] == '\0') {
		(void)snprintf(why, sizeof(why), "no lock on rights: %s", strerror(errno));
	}
	if (post(fd, &m, why, NULL) < 0 || recv(fd, &go, sizeof(go), 0) != (ssize_t)sizeof(go)) {
		return -1;
	}
	return go.r;
}

static void send_all(const struct br_apart *apart, int fd, size_t ndiags) {
	int failed = 0;
	for (size_t i = ndiags; i < br_diags_count(apart->dx) && !failed; i++) {
		const struct br_diag *d = br_diags_get(apart->dx, i);
		struct message m = {.kind = DIAG, .value = (int32_t)d->severity};
		failed = post(fd, &m, d->message, d->hint);
	}
	const struct br_few *few = &apart->there;
	for (size_t i = 0; i < *few->n && !failed; i++) {
		struct message m = {.kind = EXAMPLE};
		failed = post(fd, &m, few->examples[i], few->reasons[i]);
	}
}

static void live_apart(struct br_apart *apart, int fd, pid_t parent) __attribute__((noreturn));

static void live_apart(struct br_apart *apart, int fd, pid_t parent) {
	struct br_line line = {fd};
	size_t ndiags = br_diags_count(apart->dx);
	struct message end = {.kind = END};
	// Whoever is asked to stop is the caller.
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)br_sys_prepare(); // Where that fails, what needs it says so.
	if (report_ready(apart, fd) < 0 || getppid() != parent) {
		_exit(1);
	}
	end.value = apart->work(apart->context, &line);
	send_all(apart, fd, ndiags);
	_exit(post(fd, &end, NULL, NULL) < 0);
}

// ---- Here ----

static int64_t now_ms(void) {
	struct timespec now = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &now); // Cannot fail: the clock is there.
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** One that is watched. */
struct watch {
	struct br_apart *apart;
	int fd;
	/** When it last moved, and where it was; when it was last looked at. */
	int64_t since;
	int64_t looked;
	unsigned long beat;
	unsigned asks;
	bool begun;
	bool refused;
	bool ended;
	int r;
};

/** It is ready: whether it may begin. */
static int let_go(struct watch *w, const char *why, bool shortage) {
	const struct br_apart *apart = w->apart;
	struct br_served go = {.r = 0};
	bool required = shortage || apart->options->jail == BR_JAIL_REQUIRE;
	if (why[0] != '\0' && required) {
		go.r = br_error(apart->dx, nowhere, "the mount jail cannot be had: %s", why);
	} else if (why[0] != '\0' && geteuid() == 0) {
		// Anybody else never has it, and what is not his is out of his reach without it.
		br_note(apart->dx, nowhere, "jail: off (%s)", why);
	}
	w->begun = go.r == 0;
	w->refused = go.r != 0;
	return send(w->fd, &go, sizeof(go), MSG_NOSIGNAL) == (ssize_t)sizeof(go) ? go.r : -1;
}

static int take_example(struct watch *w, const char *path, const char *why) {
	const struct br_apart *apart = w->apart;
	const struct br_few *few = &apart->here;
	size_t n = *few->n;
	if (n >= BR_EXAMPLES) {
		return -1;
	}
	few->examples[n] = br_strdup(apart->arena, path);
	few->reasons[n] = br_strdup(apart->arena, why);
	*few->n += few->examples[n] != NULL && few->reasons[n] != NULL;
	return 0;
}

static int take_diag(struct watch *w, const struct message *m) {
	struct br_diag diag = {
		.severity = m->value >= BR_NOTE && m->value <= BR_ERROR ? (enum br_severity)m->value
									: BR_ERROR,
		.message = m->text,
		.hint = m->second > 1 ? m->text + m->first : NULL,
	};
	return br_diags_add(w->apart->dx, &diag);
}

static int take(struct watch *w, const struct message *m) {
	struct br_served served = {.r = -1};
	const char *second = m->text + m->first;
	if (m->kind == READY && !w->begun) {
		return let_go(w, m->text, m->value != 0);
	}
	if (!w->begun || w->ended) {
		return -1;
	}
	switch (m->kind) {
	case ASK:
		w->apart->serve(w->apart->context, (unsigned)m->value, m->which, &served);
		return send(w->fd, &served, sizeof(served), MSG_NOSIGNAL) < 0 ? -1 : 0;
	case DIAG:
		return take_diag(w, m);
	case EXAMPLE:
		return take_example(w, m->text, second);
	case END:
		w->ended = true;
		w->r = m->value < 0 ? -1 : m->value;
		return 0;
	default:
		return -1;
	}
}

/** Whether it waits in vain. */
static bool is_hung(struct watch *w) {
	struct br_board *board = w->apart->board;
	unsigned long beat = atomic_load(&board->beat);
	unsigned asks = atomic_load(&board->asks);
	int64_t now = now_ms();
	if (asks == 0 || beat != w->beat || asks != w->asks || now - w->looked > NAP_MS) {
		w->since = now;
	}
	w->looked = now;
	w->beat = beat;
	w->asks = asks;
	int64_t most = (asks & BR_ASKS_SLOWLY) != 0 ? BR_APART_SLOW_SECONDS : BR_APART_SECONDS;
	return now - w->since > most * 1000;
}

/** Until it has ended, or is stuck. False: it is stuck. */
static bool attend(struct watch *w) {
	const struct br_apart *apart = w->apart;
	struct message m;
	for (;;) {
		struct pollfd p = {.fd = w->fd, .events = POLLIN};
		int ready = poll(&p, 1, TICK_MS);
		if (ready < 0 && errno != EINTR) {
			// Nobody would see its end.
			return true;
		}
		if (ready > 0 && (receive(w->fd, &m) <= 0 || take(w, &m) < 0 || w->ended)) {
			return true;
		}
		if (apart->options->stop != NULL && *apart->options->stop != 0) {
			apart->board->stop = 1;
		}
		if (ready <= 0 && apart->tick != NULL) {
			apart->tick(apart->context);
		}
		if (is_hung(w)) {
			return false;
		}
	}
}

/** Killed, it goes at once, or when its file system answers after all: that is not waited for. */
static void let_end(pid_t pid) {
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t end = now_ms() + LAST_MS;
	br_auto(br_closep) int ended = (int)syscall(SYS_pidfd_open, pid, 0);
	(void)kill(pid, SIGKILL);
	// To the moment where the kernel (5.3) can tell; else, or cut short, by looking again and
	// again.
	struct pollfd p = {.fd = ended, .events = POLLIN};
	if (ended >= 0) {
		(void)poll(&p, 1, LAST_MS);
	}
	while (waitpid(pid, NULL, WNOHANG) == 0 && now_ms() < end) {
		(void)nanosleep(&pause, NULL); // Cut short, it is a pause all the same.
	}
}

static enum br_apart_end judge(const struct watch *w, bool stuck, size_t *hung) {
	const struct br_apart *apart = w->apart;
	unsigned asks = w->asks & ~(unsigned)BR_ASKS_SLOWLY;
	*hung = asks > 0 && asks <= apart->ntargets ? asks - 1 : 0;
	if (stuck && apart->ntargets > 0) {
		return BR_APART_HUNG;
	}
	if (w->ended) {
		return BR_APART_ENDED;
	}
	if (w->refused) {
		return BR_APART_REFUSED;
	}
	(void)br_error(apart->dx, nowhere, "the process that does the work has ended unexpectedly");
	return BR_APART_DIED;
}

enum br_apart_end br_apart_run(struct br_apart *apart, int *r, size_t *hung) {
	int ends[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		(void)br_error(apart->dx, nowhere,
			"cannot start the process that makes the changes: %s", strerror(errno));
		return BR_APART_REFUSED;
	}
	br_auto(br_closep) int mine = ends[0];
	br_auto(br_closep) int theirs = ends[1];
	pid_t pid = fork();
	if (pid < 0) {
		(void)br_error(apart->dx, nowhere,
			"cannot start the process that makes the changes: %s", strerror(errno));
		return BR_APART_REFUSED;
	}
	if (pid == 0) {
		live_apart(apart, theirs, parent);
	}
	br_closep(&theirs);
	theirs = -1;
	struct watch w = {.apart = apart, .fd = mine, .since = now_ms(), .looked = now_ms()};
	bool stuck = !attend(&w);
	let_end(pid);
	*r = w.r;
	return judge(&w, stuck, hung);
}
