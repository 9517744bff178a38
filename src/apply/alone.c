// Who else is at work. A run's journal is locked while somebody works on that run, be it a fix or
// an undo, and says in which places: so runs in different places go on at a time, and a lock dies
// with its process.

#include "run.h"

#include <base/own.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

static const struct br_span nowhere;

// Of the open file, not of the process (F_OFD_): a second descriptor of this process shall see it
// too.
static struct flock whole_file(short type) {
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

int br_run_lock(int fd) {
	struct flock lock = whole_file(F_WRLCK);
	return fcntl(fd, F_OFD_SETLK, &lock);
}

void br_run_unlock(int fd) {
	struct flock lock = whole_file(F_UNLCK);
	// What cannot be unlocked is when it is closed.
	(void)fcntl(fd, F_OFD_SETLK, &lock);
}

static bool is_locked(int fd) {
	struct flock lock = whole_file(F_WRLCK);
	// Where nobody can tell, nobody could have locked it.
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool br_run_is_live(int fd) {
	const struct timespec pause = {.tv_nsec = 10000000};
	// Of one that was killed, the process that did its work goes a moment later.
	for (int tries = 0; tries < 20 && is_locked(fd); tries++) {
		(void)nanosleep(&pause, NULL); // Cut short, it is a pause all the same.
	}
	return is_locked(fd);
}

static bool lies_in(const char *path, const char *of) {
	size_t n = strlen(of);
	// Below "/" lies everything.
	n -= n > 0 && of[n - 1] == '/';
	return strncmp(path, of, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool overlap(const char *a, const char *b) {
	return lies_in(a, b) || lies_in(b, a);
}

static const struct br_target *overlap_by_path(
	struct br_target *const *a, size_t an, struct br_target *const *b, size_t bn) {
	for (size_t i = 0; i < an; i++) {
		for (size_t j = 0; j < bn; j++) {
			if (br_inode_same(&a[i]->root, &b[j]->root)
				|| overlap(a[i]->real, b[j]->real)) {
				return b[j];
			}
		}
	}
	return NULL;
}

static const char **places_of(struct br_arena *arena, const struct br_mounts *mounts,
	struct br_target *const *targets, size_t n) {
	const char **places = BR_NEW_ARRAY(arena, const char *, n);
	for (size_t i = 0; places != NULL && i < n; i++) {
		const struct br_target *target = targets[i];
		places[i] = target != NULL ? br_mounts_place(arena, mounts, target->real) : NULL;
		if (places[i] == NULL) {
			return NULL;
		}
	}
	return places;
}

/** What is bound to another path as a whole has the same root; what lies in it, or it lies in, is
 * told by the mount table only. */
static int overlap_by_place(struct br_target *const *a, size_t an, struct br_target *const *b,
	size_t bn, const struct br_target **which) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	if (mounts == NULL) {
		// No /proc: nobody mounts much there.
		return br_is_shortage(errno) ? -1 : 0;
	}
	const char **mine = places_of(&arena, mounts, a, an);
	const char **others = places_of(&arena, mounts, b, bn);
	if (mine == NULL || others == NULL) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < an * bn; i++) {
		if (overlap(mine[i / bn], others[i % bn])) {
			*which = b[i % bn];
			return 1;
		}
	}
	return 0;
}

int br_targets_overlap(struct br_target *const *a, size_t an, struct br_target *const *b, size_t bn,
	const struct br_target **which) {
	*which = overlap_by_path(a, an, b, bn);
	return *which != NULL ? 1 : overlap_by_place(a, an, b, bn, which);
}

int br_refuse_live(struct br_target *const *targets, size_t n, const struct br_summary *other,
	struct br_diags *dx) {
	const struct br_target *where = NULL;
	if (other->live && other->run.state == BR_RUN_DAMAGED) {
		// By another version, perhaps, whose journal only that one can read.
		return br_error(dx, nowhere,
			"another fix or undo is running, and it cannot be told where: the journal of run %s cannot be used: %s",
			other->run.id, other->run.why);
	}
	int r = other->live
		? br_targets_overlap(targets, n, other->targets, other->ntargets, &where)
		: 0;
	if (r < 0) {
		return br_run_unseen(other->run.id, dx);
	}
	return r == 0
		? 0
		: br_error(dx, nowhere, "another fix or undo is running in '%s'", where->real);
}
