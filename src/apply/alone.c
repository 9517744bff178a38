// Who else is at work. A run's journal is locked while somebody works on that run, be it a fix or an undo, and says in which
// places: so runs in different places go on at a time, and a lock dies with its process.

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

static const struct br_span nowhere;

// Of the open file, not of the process (F_OFD_): a second descriptor of this process shall see it too.
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

const struct br_target *br_targets_overlap(
	struct br_target *const *a, size_t an, struct br_target *const *b, size_t bn) {
	for (size_t i = 0; i < an; i++) {
		for (size_t j = 0; j < bn; j++) {
			if (br_inode_same(&a[i]->root, &b[j]->root)
				|| lies_in(a[i]->real, b[j]->real)
				|| lies_in(b[j]->real, a[i]->real)) {
				return b[j];
			}
		}
	}
	return NULL;
}

int br_refuse_live(struct br_target *const *targets, size_t n, const struct br_summary *other,
	struct br_diags *dx) {
	const struct br_target *where = other->live
		? br_targets_overlap(targets, n, other->targets, other->ntargets)
		: NULL;
	return where == NULL
		? 0
		: br_error(dx, nowhere, "another fix or undo is running in '%s'", where->real);
}
