// Making a directory so that it never stands under its name with anything but its final state:
//
//	MKDIR, sync; mkdir .bindright-RANDOM 0700; MKDIR_DONE, sync; state; rename to its name; sync
// the parent
//
// A kill after any of these leaves an empty directory of ours under one of two names that the
// journal knows.

#include "run.h"

#include <base/file.h>
#include <base/jail.h>
#include <base/own.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct br_span nowhere;

struct making {
	struct br_work *work;
	const struct br_target *target;
	const struct br_make *make;
	/** The parent, and the last component. */
	int parent;
	const char *name;
	char temporary[32];
	/** When it was begun: seconds since 1970. */
	int64_t since;
};

static int cannot(const struct making *m, const char *why) {
	m->work->failed = true;
	m->work->result->failed++;
	return br_error(m->work->dx, nowhere, "cannot make '%s/%s': %s", m->target->real,
		m->make->below, why);
}

/** The one call for which root's override was in force, and what it came to. */
static int rested(int r) {
	int err = errno;
	if (br_jail_rest() < 0) {
		return -1;
	}
	errno = err;
	return r;
}

static int remove_directory(int parent, const char *name) {
	return br_jail_wake() < 0 ? -1 : rested(unlinkat(parent, name, AT_REMOVEDIR));
}

/** 1: no more than so many entries, 0 more, -1 with errno. */
static int is_empty(int parent, const char *name, size_t ignore) {
	br_auto(br_closep) int fd =
		br_open_beneath(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		return -1;
	}
	(void)br_steal_fd(&fd); // The stream owns it.
	int r = 1;
	const struct dirent *entry;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (!dots && ignore-- == 0) {
			r = 0;
			break;
		}
	}
	int err = errno;
	(void)closedir(dir); // Only read from.
	errno = err;
	return r > 0 && err != 0 ? -1 : r;
}

/** One that was there before, and was only moved here: empty, root's and private as it may be, it
 * is somebody's. */
static bool is_older(const struct making *m, const struct br_inode *in) {
	// A server has a clock of its own, and some file systems count in seconds.
	return !m->make->root->fs.remote && (in->btime.sec != 0 || in->btime.nsec != 0)
		&& in->btime.sec + 2 < m->since;
}

/** Nobody had a hand in it since mkdir. */
static const char *is_not_fresh(const struct making *m, const struct br_inode *in) {
	if (!S_ISDIR(in->mode) || in->uid.v != geteuid() || (in->mode & 0777) != 0700
		|| is_older(m, in)) {
		return "somebody else interferes";
	}
	return is_empty(m->parent, m->temporary, 0) > 0 ? NULL : "somebody else interferes";
}

static int announce(struct making *m, uint64_t *seq) {
	uint64_t salt;
	if (br_random(&salt, sizeof(salt)) < 0) {
		return cannot(m, strerror(errno));
	}
	(void)snprintf(
		m->temporary, sizeof(m->temporary), ".bindright-%016llx", (unsigned long long)salt);
	struct br_record record = {
		.type = BR_REC_MKDIR,
		.target = m->target->number,
		.path = br_bytes_of(m->make->below),
		.name = br_bytes_of(m->temporary),
		.after = m->make->after,
	};
	br_work_announces(m->work);
	if (br_work_add(m->work, &record) < 0 || br_work_sync(m->work) < 0) {
		return -1;
	}
	*seq = record.seq;
	return 0;
}

/** Make it under its temporary name; *fd holds it and *in is what it is. */
static int make_temporary(struct making *m, uint64_t seq, int *fd, struct br_inode *in) {
	char room[BR_HANDLE_MAX];
	m->since = (int64_t)time(NULL);
	if (br_jail_wake() < 0 || rested(mkdirat(m->parent, m->temporary, 0700)) < 0) {
		return cannot(m, strerror(errno));
	}
	*fd = br_open_beneath(m->parent, m->temporary, O_PATH | O_DIRECTORY | O_NOFOLLOW, false);
	if (*fd < 0 || br_inode_read(*fd, "", BR_HAVE_ALL, m->work->acls, in) < 0) {
		return cannot(m, strerror(errno));
	}
	const char *why = is_not_fresh(m, in);
	if (why != NULL) {
		return cannot(m, why);
	}
	struct br_record record = {
		.type = BR_REC_MKDIR_DONE,
		.of = seq,
		.after = *in,
		.extra = br_object_handle(*fd, "", in, room),
	};
	return br_work_add(m->work, &record) < 0 ? -1 : br_work_sync(m->work);
}

/** A step after which the temporary directory is of no use. */
static int give_up(struct making *m, const char *why) {
	(void)remove_directory(m->parent, m->temporary); // Undo knows it too.
	return cannot(m, why);
}

static int settle(struct making *m, int fd, const struct br_inode *in) {
	struct br_inode after = m->make->after;
	struct br_inode now;
	unsigned step;
	after.mode = S_IFDIR | (after.mode & 07777);
	after.have = BR_HAVE_ALL;
	if (br_inode_write(fd, in, &after, &step) < 0
		|| br_inode_read(fd, "", BR_HAVE_ALL, m->work->acls, &now) < 0) {
		return give_up(m, strerror(errno));
	}
	if (!br_inode_equal(&now, &after)) {
		char why[160];
		br_object_differs(&after, &now, why);
		return give_up(m, why);
	}
	if (br_jail_wake() < 0
		|| rested(renameat2(m->parent, m->temporary, m->parent, m->name, RENAME_NOREPLACE))
			< 0) {
		return give_up(
			m, errno == EEXIST ? "somebody else made it meanwhile" : strerror(errno));
	}
	return 0;
}

static int sync_parent(int parent) {
	br_auto(br_closep) int fd =
		br_open_beneath(parent, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false);
	return fd >= 0 ? fsync(fd) : -1;
}

static int make_one(struct making *m) {
	br_auto(br_closep) int fd = -1;
	br_auto(br_closep) int again = -1;
	struct br_inode in;
	struct br_inode now;
	uint64_t seq = 0;
	if (announce(m, &seq) < 0 || make_temporary(m, seq, &fd, &in) < 0
		|| settle(m, fd, &in) < 0) {
		return -1;
	}
	m->work->result->made++;
	if (sync_parent(m->parent) < 0) {
		return cannot(m, strerror(errno));
	}
	again = br_open_beneath(m->parent, m->name, O_PATH | O_DIRECTORY | O_NOFOLLOW, false);
	if (again < 0 || br_inode_stat(again, "", &now) < 0) {
		return cannot(m, strerror(errno));
	}
	return br_inode_same(&in, &now) ? 0 : cannot(m, "another one has its name now");
}

static int make_each(struct br_work *work, struct br_target *const *targets) {
	br_auto(br_way_release) struct br_way way = BR_WAY_NONE(false);
	for (size_t i = 0; i < work->job->nmakes; i++) {
		struct making m = {
			.work = work, .target = targets[i], .make = &work->job->makes[i]};
		if (br_work_stops(work)) {
			return 0;
		}
		br_board_ask(work->board, m.target, false);
		m.parent = br_way_to(&way, m.target, m.make->below, &m.name);
		if (m.parent < 0) {
			return cannot(&m, strerror(errno));
		}
		if (make_one(&m) < 0) {
			return -1;
		}
	}
	br_board_ask(work->board, NULL, false);
	return 0;
}

int br_make_all(struct br_work *work, struct br_target *const *targets) {
	int r = make_each(work, targets);
	// What comes now, the trees, needs no override.
	if (br_jail_forgo() < 0) {
		work->failed = true;
		return br_error(work->dx, nowhere, "cannot give up a right: %s", strerror(errno));
	}
	return r;
}

// ---- Taking it back ----

static void answer(struct br_answer_of *out, enum br_outcome outcome, const char *why) {
	out->outcome = outcome;
	if (snprintf(out->why, sizeof(out->why), "%s", why) < 0) {
		out->why[0] = '\0';
	}
}

/** Whether the directory under this name is the one that was made: 1; 0 it is not there; -1 it is
 * another one (errno 0), or it could not be told. */
static int is_made(int parent, const char *name, const struct br_made *made) {
	struct br_inode now;
	char room[BR_HANDLE_MAX];
	if (br_inode_stat(parent, name, &now) < 0) {
		return errno == ENOENT ? 0 : -1;
	}
	if (made->identity == NULL) {
		errno = 0;
		// Killed between mkdir and its record: nobody else knows the name.
		return S_ISDIR(now.mode) && now.uid.v == geteuid() && (now.mode & 0777) == 0700
			? 1
			: -1;
	}
	struct br_bytes handle = br_object_handle(parent, name, &now, room);
	bool same = br_object_same(made->target, made->identity, &now)
		&& (made->handle.n == 0 || handle.n == 0
			|| (made->handle.n == handle.n
				&& memcmp(made->handle.p, handle.p, handle.n) == 0));
	errno = 0;
	return same ? 1 : -1;
}

void br_made_remove(
	struct br_way *way, const struct br_made *made, bool dry, struct br_answer_of *out) {
	const char *name;
	*out = (struct br_answer_of){.outcome = BR_SAME};
	int parent = br_way_to(way, made->target, made->path, &name);
	if (parent < 0) {
		// Its parent was not made either, or went with it.
		if (errno != ENOENT) {
			out->err = errno;
			answer(out, BR_FAILED, strerror(errno));
		}
		return;
	}
	int there = is_made(parent, made->temporary, made);
	if (there > 0) {
		name = made->temporary;
	} else if (!made->half) {
		there = made->identity != NULL ? is_made(parent, name, made) : 0;
	} else if (there == 0) {
		out->kept = made->identity != NULL && is_made(parent, name, made) > 0;
	}
	if (there < 0 && errno == 0) {
		answer(out, BR_CONFLICT, "another one has its name now");
	} else if (there < 0) {
		out->err = errno;
		answer(out, BR_FAILED, strerror(errno));
	}
	if (there <= 0) {
		return;
	}
	if (is_empty(parent, name, made->ignore) == 0) {
		answer(out, BR_CONFLICT, "it is not empty");
		return;
	}
	out->outcome = BR_CHANGED;
	if (!dry && remove_directory(parent, name) < 0) {
		out->err = errno;
		answer(out, errno == ENOTEMPTY || errno == EEXIST ? BR_CONFLICT : BR_FAILED,
			errno == ENOTEMPTY || errno == EEXIST ? "it is not empty"
							      : strerror(errno));
	}
}
