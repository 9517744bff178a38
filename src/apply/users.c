// Groups and users are made by the system's own groupadd and useradd, so that shadow files, locks
// and name caches are right. They are started with a fixed command line and nothing of the caller's
// environment.

#include "run.h"

#include <base/file.h>
#include <base/own.h>
#include <base/sys.h>

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const struct br_span nowhere;

enum {
	HELPER_SECONDS = 60,
	OUTPUT_MAX = 64 << 10,
	DATABASE_MAX = 64 << 20,
	NAME_LONGEST = 31,
	BAD_EXEC = 127,
};

static const char *const places[] = {"/usr/sbin", "/sbin"};
static const char nologin[] = "/usr/sbin/nologin";

// ---- The helpers ----

/** Only root could have put anything there: it, and every directory that it lies in. */
static bool is_roots(const char *path) {
	char part[64];
	struct stat st;
	for (size_t n = 1;; n++) {
		// The root, and each part up to a slash or the end.
		if (n > 1 && path[n] != '/' && path[n] != '\0') {
			continue;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		if (lstat(part, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0
			|| (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
			return false;
		}
		if (path[n] == '\0') {
			return true;
		}
	}
}

static bool find_helper(const char *name, char path[64]) {
	struct stat st;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (snprintf(path, 64, "%s/%s", places[i], name) >= 64 || lstat(path, &st) < 0
			|| !S_ISREG(st.st_mode) || st.st_uid != 0
			|| (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
			continue;
		}
		char parent[64];
		(void)snprintf(parent, sizeof(parent), "%s", places[i]);
		if (is_roots(parent)) {
			return true;
		}
	}
	return false;
}

/** In the child: only calls that are safe between fork and exec. */
static void become(const char *path, char *const argv[], int out) {
	static char path_is[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale_is[] = "LC_ALL=C";
	char *const env[] = {path_is, locale_is, NULL};
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++) {
		(void)sigaction(sig, &normal, NULL); // SIGKILL and SIGSTOP refuse, rightly.
	}
	// A group of its own: an interrupt at the terminal must not leave half an account.
	if (setpgid(0, 0) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0 && chdir("/") == 0
		&& null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2
		&& br_sys_close_from(3, true) == 0) {
		(void)umask(022);
		(void)execve(path, argv, env);
	}
	_exit(BAD_EXEC);
}

static int64_t now_ms(void) {
	struct timespec now;
	return clock_gettime(CLOCK_MONOTONIC, &now) < 0
		? 0
		: (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Read what it says until it ends; false when its time is up. */
static bool listen_to(int fd, struct br_buf *said) {
	int64_t end = now_ms() + (int64_t)HELPER_SECONDS * 1000;
	for (;;) {
		char buf[4096];
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		if (left <= 0) {
			return false;
		}
		int r = poll(&p, 1, (int)left);
		if (r < 0 && errno == EINTR) {
			continue;
		}
		if (r <= 0) {
			return false;
		}
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return true;
		}
		if (said->n < OUTPUT_MAX) {
			br_buf_addn(said, buf, (size_t)n);
		}
	}
}

static int reap(pid_t pid) {
	int status;
	pid_t r;
	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	return r == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/** Run it: 0, or -1 with one clause in why. */
static int run_helper(const char *name, char *const argv[], char why[160]) {
	char path[64];
	int ends[2];
	if (!find_helper(name, path)) {
		(void)snprintf(why, 160, "there is no %s that only root can change", name);
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)snprintf(why, 160, "%s", strerror(errno));
		return -1;
	}
	br_auto(br_closep) int in = ends[0];
	br_auto(br_closep) int out = ends[1];
	pid_t pid = fork();
	if (pid == 0) {
		become(path, argv, out);
	}
	if (pid < 0) {
		(void)snprintf(why, 160, "%s", strerror(errno));
		return -1;
	}
	br_closep(&out);
	out = -1;
	struct br_buf said = {0};
	bool ended = listen_to(in, &said);
	if (!ended) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
	}
	int status = reap(pid);
	if (status != 0) {
		size_t n = said.s != NULL ? strcspn(said.s, "\n") : 0;
		(void)snprintf(why, 160, "%s %s: %.*s", name, ended ? "failed" : "took too long",
			n > 100 ? 100 : (int)n, said.s != NULL ? said.s : "");
	}
	br_buf_release(&said);
	return status == 0 ? 0 : -1;
}

// ---- What there is ----

int br_account_line(bool is_group, const char *name, char **line) {
	size_t size;
	size_t n = strlen(name);
	br_auto(br_freep) char *text = br_read_file(
		AT_FDCWD, is_group ? "/etc/group" : "/etc/passwd", DATABASE_MAX, &size);
	if (text == NULL) {
		return -1;
	}
	for (char *p = text; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		if (len > n && memcmp(p, name, n) == 0 && p[n] == ':') {
			*line = strndup(p, len);
			return *line != NULL ? 1 : -1;
		}
		p += len + (p[len] == '\n');
	}
	return 0;
}

/** Some user's own group: groupdel would refuse. */
static bool is_primary(uint32_t gid) {
	size_t size;
	char want[16];
	br_auto(br_freep) char *text = br_read_file(AT_FDCWD, "/etc/passwd", DATABASE_MAX, &size);
	size_t n = (size_t)snprintf(want, sizeof(want), ":%u:", gid);
	for (char *p = text; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");
		// NAME:PASSWORD:UID:GID:
		char *field = p;
		for (int i = 0; i < 3 && field != NULL; i++) {
			size_t left = len - (size_t)(field - p);
			field = memchr(field + (i > 0), ':', left - (i > 0 && left > 0));
		}
		if (field != NULL && strncmp(field, want, n) == 0) {
			return true;
		}
		p += len + (p[len] == '\n');
	}
	return false;
}

static bool status_names(const char *status, const char *key, uint32_t id) {
	const char *p = strstr(status, key);
	if (p == NULL) {
		return false;
	}
	p += strlen(key);
	const char *end = p + strcspn(p, "\n");
	while (p < end) {
		p += strspn(p, " \t");
		size_t n = strspn(p, "0123456789");
		char word[16];
		uint32_t got;
		if (n == 0 || n >= sizeof(word)) {
			return false;
		}
		memcpy(word, p, n);
		word[n] = '\0';
		if (br_parse_u32(word, UINT32_MAX, &got) == 0 && got == id) {
			return true;
		}
		p += n;
	}
	return false;
}

/** A process runs with this ID (real, effective, saved, for files; groups too): 1, 0, -1 with
 * errno. */
static int is_running(bool is_group, uint32_t id) {
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int r = proc != NULL ? 0 : -1;
	while (r == 0 && (errno = 0, (entry = readdir(proc)) != NULL)) {
		char name[300];
		size_t size;
		if (!isdigit((unsigned char)entry->d_name[0])
			|| snprintf(name, sizeof(name), "%s/status", entry->d_name) < 0) {
			continue;
		}
		br_auto(br_freep) char *status = br_read_file(dirfd(proc), name, 1 << 20, &size);
		if (status != NULL
			&& (status_names(status, is_group ? "\nGid:" : "\nUid:", id)
				|| (is_group && status_names(status, "\nGroups:", id)))) {
			r = 1;
		}
		// One that ended meanwhile runs no more; of another one it cannot be told.
		if (status == NULL && errno != ENOENT && errno != ESRCH) {
			r = -1;
		}
	}
	if (r == 0 && errno != 0) {
		r = -1;
	}
	if (proc != NULL) {
		(void)closedir(proc); // Only read from.
	}
	return r;
}

/** The name or the number is taken: one clause, or NULL. */
static const char *is_taken(const struct br_account *a) {
	char buf[16384];
	struct passwd user;
	struct passwd *u = NULL;
	struct group group;
	struct group *g = NULL;
	int r;
	if (a->is_group) {
		r = getgrnam_r(a->name, &group, buf, sizeof(buf), &g);
		if (r == 0 && g == NULL) {
			r = getgrgid_r(a->id.v, &group, buf, sizeof(buf), &g);
		}
	} else {
		r = getpwnam_r(a->name, &user, buf, sizeof(buf), &u);
		if (r == 0 && u == NULL) {
			r = getpwuid_r(a->id.v, &user, buf, sizeof(buf), &u);
		}
	}
	if (g != NULL || u != NULL) {
		return "the name or the number is taken now";
	}
	return r == ERANGE ? "the name or the number is taken now" : NULL;
}

static bool is_plain_name(const char *name) {
	size_t n = strlen(name);
	if (n == 0 || n > NAME_LONGEST || !(islower((unsigned char)name[0]) || name[0] == '_')) {
		return false;
	}
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

// ---- Making ----

static int cannot(struct br_work *work, const struct br_account *a, const char *why) {
	work->failed = true;
	work->result->failed++;
	return br_error(work->dx, nowhere, "cannot make the %s '%s' (%u): %s",
		a->is_group ? "group" : "user", a->name, a->id.v, why);
}

static int start_helper(const struct br_account *a, char why[160]) {
	static char groupadd[] = "groupadd";
	static char useradd[] = "useradd";
	static char system_one[] = "-r";
	static char no_home[] = "-M";
	static char no_group[] = "-N";
	static char with_shell[] = "-s";
	static char shell[] = "/usr/sbin/nologin";
	static char with_uid[] = "-u";
	static char with_gid[] = "-g";
	static char end[] = "--";
	char id[16];
	char gid[16];
	char name[NAME_LONGEST + 1];
	(void)snprintf(id, sizeof(id), "%u", a->id.v);
	(void)snprintf(gid, sizeof(gid), "%u", a->gid.v);
	(void)snprintf(name, sizeof(name), "%s", a->name);
	char *const group[] = {groupadd, system_one, with_gid, id, end, name, NULL};
	char *const user[] = {useradd, system_one, no_home, no_group, with_shell, shell, with_uid,
		id, with_gid, gid, end, name, NULL};
	return run_helper(a->is_group ? groupadd : useradd, a->is_group ? group : user, why);
}

/** The line as it should be; useradd decides about the home. */
static int wanted_line(const struct br_account *a, char out[256]) {
	int n = a->is_group ? snprintf(out, 256, "%s:x:%u:", a->name, a->id.v)
			    : snprintf(out, 256, "%s:x:%u:%u::/home/%s:%s", a->name, a->id.v,
				    a->gid.v, a->name, nologin);
	return n > 0 && n < 256 ? 0 : -1;
}

/** Whether it can be made: r 0, or -1 with why. */
static void find_free(const struct br_account *a, struct br_served *out) {
	const char *taken = is_taken(a);
	out->r = taken != NULL ? -1 : 0;
	if (taken != NULL) {
		(void)snprintf(out->why, sizeof(out->why), "%s", taken);
	} else if (!a->is_group) {
		out->running = is_running(false, a->id.v) > 0;
	}
}

/** Make it: r 1 with its line; 0 where it was made and cannot be found; -1 with why. */
static void make_now(const struct br_account *a, struct br_served *out) {
	br_auto(br_freep) char *line = NULL;
	out->r = start_helper(a, out->why);
	if (out->r == 0 && br_account_line(a->is_group, a->name, &line) > 0
		&& strlen(line) < sizeof(out->line)) {
		memcpy(out->line, line, strlen(line) + 1);
		out->r = 1;
	}
}

void br_account_serve(
	const struct br_job *job, unsigned what, uint64_t which, struct br_served *out) {
	*out = (struct br_served){.r = -1, .why = "it was not asked for"};
	if (which >= job->naccounts) {
		return;
	}
	if (what == BR_ASK_ACCOUNT_FREE) {
		find_free(&job->accounts[which], out);
	} else if (what == BR_ASK_ACCOUNT_MAKE) {
		make_now(&job->accounts[which], out);
	}
}

/** By whoever may start programs. */
static void ask(
	struct br_work *work, unsigned what, const struct br_account *a, struct br_served *out) {
	uint64_t which = (uint64_t)(a - work->job->accounts);
	if (work->line == NULL) {
		br_account_serve(work->job, what, which, out);
	} else if (br_line_ask(work->line, what, which, out) < 0) {
		*out = (struct br_served){.r = -1, .why = "nobody answers"};
	}
}

static int make_account(struct br_work *work, const struct br_account *a) {
	char wanted[256];
	struct br_served served;
	if (!is_plain_name(a->name) || a->id.v == 0 || a->id.v == BR_NO_ID
		|| (!a->is_group && a->gid.v == 0) || wanted_line(a, wanted) < 0) {
		return cannot(work, a, "the name or the number is not one for an account");
	}
	ask(work, BR_ASK_ACCOUNT_FREE, a, &served);
	if (served.r < 0) {
		return cannot(work, a, served.why);
	}
	if (served.running) {
		br_warning(work->dx, nowhere,
			"processes run as uid %u already: they belong to the new user '%s' from now on",
			a->id.v, a->name);
	}
	struct br_record record = {
		.type = BR_REC_ACCOUNT,
		.is_group = a->is_group,
		.name = br_bytes_of(a->name),
		.uid = a->id.v,
		.gid = a->gid.v,
		.text = br_bytes_of(wanted),
	};
	br_work_announces(work);
	if (br_work_add(work, &record) < 0 || br_work_sync(work) < 0) {
		return -1;
	}
	ask(work, BR_ASK_ACCOUNT_MAKE, a, &served);
	if (served.r < 0) {
		return cannot(work, a, served.why);
	}
	work->result->accounts++;
	if (served.r == 0) {
		return cannot(work, a, "it was made and is not there");
	}
	struct br_record done = {
		.type = BR_REC_ACCOUNT_DONE, .of = record.seq, .text = br_bytes_of(served.line)};
	return br_work_add(work, &done) < 0 ? -1 : br_work_sync(work);
}

int br_accounts_make(struct br_work *work) {
	for (size_t i = 0; i < work->job->naccounts; i++) {
		const struct br_account *a = &work->job->accounts[i];
		if (br_work_stops(work)) {
			return 0;
		}
		if (geteuid() != 0) {
			return cannot(work, a, "only root can");
		}
		if (make_account(work, a) < 0) {
			return -1;
		}
	}
	return 0;
}

// ---- Taking it back ----

static void answer(struct br_answer_of *out, enum br_outcome outcome, const char *why) {
	out->outcome = outcome;
	if (snprintf(out->why, sizeof(out->why), "%s", why) < 0) {
		out->why[0] = '\0';
	}
}

static bool is_as_made(const struct br_made_account *account, const char *line) {
	return is_plain_name(account->name) && strlen(line) == account->line.n
		&& memcmp(line, account->line.p, account->line.n) == 0;
}

/** The n-th field of a line, from 0, up to its end; NULL where it has fewer. */
static const char *field_of(const char *line, unsigned n) {
	for (; n > 0 && line != NULL; n--) {
		line = strchr(line, ':');
		line += line != NULL;
	}
	return line;
}

/** Whether a list of names, with commas between them, up to the end of its line, has this one. */
static bool lists(const char *names, const char *name) {
	size_t len = strlen(name);
	while (*names != '\0' && *names != '\n') {
		size_t n = strcspn(names, ",\n");
		if (n == len && memcmp(names, name, n) == 0) {
			return true;
		}
		names += n + (names[n] == ',');
	}
	return false;
}

/** Some group has the user as a member: 1, 0, -1. None has one that was just made. */
static int is_member(const char *name) {
	size_t size;
	br_auto(br_freep) char *text = br_read_file(AT_FDCWD, "/etc/group", DATABASE_MAX, &size);
	int r = text != NULL ? 0 : -1;
	for (char *p = text; r == 0 && *p != '\0';) {
		size_t len = strcspn(p, "\n");
		bool more = p[len] == '\n';
		p[len] = '\0';
		const char *members = field_of(p, 3);
		r = members != NULL && lists(members, name);
		p += len + more;
	}
	return r;
}

/** why_group_kept(), by the group's line. */
static const char *why_line_kept(const struct br_made_account *account,
	const struct br_made_account *group, const char *line) {
	char id[16];
	const char *gid = field_of(line, 2);
	const char *members = field_of(line, 3);
	size_t n = (size_t)snprintf(id, sizeof(id), "%u:", account->gid);
	if (gid == NULL || strncmp(gid, id, n) != 0 || (members != NULL && *members != '\0')) {
		return NULL;
	}
	if (group == NULL || !is_as_made(group, line)) {
		return "its group would go with it, and was there before, or was changed";
	}
	return is_running(true, group->id) != 0 ? "processes run as its group" : NULL;
}

/**
 * Why the group of the user's name has to stay: userdel removes it too (USERGROUPS_ENAB) where it
 * is the user's own and has no members. One clause, or NULL; NULL where it does not go.
 */
static const char *why_group_kept(
	const struct br_made_account *account, const struct br_made_account *group) {
	char *line = NULL;
	int found = br_account_line(true, account->name, &line);
	const char *why = found > 0 ? why_line_kept(account, group, line)
		: found < 0         ? "its group cannot be looked at"
				    : NULL;
	free(line);
	return why;
}

/** Why the account has to stay: one clause, or NULL. */
static const char *why_kept(const struct br_made_account *account,
	const struct br_made_account *group, const char *line, bool dry) {
	if (!is_as_made(account, line)) {
		return "the account was changed";
	}
	if (is_running(account->is_group, account->id) != 0) {
		return "processes run as it";
	}
	if (!account->is_group) {
		return is_member(account->name) != 0 ? "it is a member of groups now"
						     : why_group_kept(account, group);
	}
	// A dry run has not removed the user either.
	return !dry && is_primary(account->id) ? "it is the group of a user" : NULL;
}

void br_account_remove(const struct br_made_account *account, const struct br_made_account *group,
	bool dry, struct br_answer_of *out) {
	static char userdel[] = "userdel";
	static char groupdel[] = "groupdel";
	static char end[] = "--";
	char *line = NULL;
	char name[NAME_LONGEST + 1];
	char why[160];
	*out = (struct br_answer_of){.outcome = BR_SAME};
	int found = br_account_line(account->is_group, account->name, &line);
	if (found < 0) {
		out->err = errno;
		answer(out, BR_FAILED, strerror(errno));
	}
	if (found <= 0) {
		return;
	}
	const char *kept = why_kept(account, group, line, dry);
	free(line);
	if (kept != NULL) {
		answer(out, BR_CONFLICT, kept);
		return;
	}
	out->outcome = BR_CHANGED;
	(void)snprintf(name, sizeof(name), "%s", account->name);
	char *const argv[] = {account->is_group ? groupdel : userdel, end, name, NULL};
	if (!dry && run_helper(argv[0], argv, why) < 0) {
		answer(out, BR_FAILED, why);
	}
}
