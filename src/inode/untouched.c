// Whether an inode is as it was read, by its change time alone.
//
// Every change of owner, mode, links, ACL and any other attribute sets the change time, and nobody
// can set it to a value of his own. So the same time means the same facts, if no two changes can
// bear the same time. Since Linux 6.13 none does once the time was read
// (Documentation/filesystems/multigrain-ts.rst); before that, changes within one tick of the clock
// may.

#include "facts.h"

#include <base/own.h>

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	// Readings of the clock's tick in a row, some microseconds long each, that would all have
	// to fall together with its next one.
	TRIALS = 16,
	// A tick is 10 ms at most.
	MARGIN_SECONDS = 2,
};

static bool is_same_time(struct br_time a, struct br_time b) {
	return a.sec == b.sec && a.nsec == b.nsec;
}

// Asked of the kernel itself, by a file that only we have: does each change get a time of its own?
static bool tell_changes_apart(void) {
	br_auto(br_closep) int fd = memfd_create("bindright", MFD_CLOEXEC);
	struct br_inode last;
	if (fd < 0 || br_inode_stat(fd, "", &last)) {
		return false;
	}
	for (unsigned i = 0; i < TRIALS; i++) {
		struct br_inode now;
		if (fchmod(fd, i & 1 ? 0600 : 0400) || br_inode_stat(fd, "", &now)
			|| is_same_time(last.ctime, now.ctime)) {
			return false;
		}
		last = now;
	}
	return true;
}

struct br_time br_inode_quiet(void) {
	// 0 not asked yet, 1 no, 2 yes.
	static atomic_int known;
	int apart = atomic_load(&known);
	if (apart == 0) {
		apart = tell_changes_apart() ? 2 : 1;
		atomic_store(&known, apart);
	}
	struct timespec now;
	if (apart == 2) {
		return (struct br_time){.sec = INT64_MAX};
	}
	if (clock_gettime(CLOCK_REALTIME_COARSE, &now)) {
		return (struct br_time){0};
	}
	return (struct br_time){.sec = now.tv_sec - MARGIN_SECONDS};
}

bool br_inode_untouched(
	int fd, const struct br_inode *then, const struct br_inode *now, struct br_time quiet) {
	return br_inode_same(then, now) && then->mount == now->mount
		&& is_same_time(then->ctime, now->ctime)
		&& then->ctime.sec < quiet.sec
		// Where there is no birth time, times may be whole seconds (ext4 with small inodes).
		&& (now->btime.sec != 0 || now->btime.nsec != 0)
		&& br_fact_is_local(fd, "", now->mount);
}
