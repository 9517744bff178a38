// What every stage of a run shares: its journal, whether it is to stop, the first few that did not
// go well, its targets' end.

#include "run.h"

#include <base/file.h>
#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct br_span nowhere;

bool br_work_stops(struct br_work *work) {
	if (work->options->stop != NULL && *work->options->stop != 0) {
		work->interrupted = true;
	}
	return work->interrupted;
}

int br_work_broken(struct br_work *work) {
	int err = errno;
	work->broken = true;
	work->failed = true;
	return br_error(work->dx, nowhere, "cannot write the journal in '%s': %s", work->state.path,
		strerror(err));
}

void br_work_announces(struct br_work *work) {
	work->journaled = true;
	if (work->board != NULL) {
		atomic_store(&work->board->announced, true);
	}
}

int br_work_add(struct br_work *work, struct br_record *record) {
	return br_journal_add(&work->journal, record) < 0 ? br_work_broken(work) : 0;
}

int br_work_sync(struct br_work *work) {
	// A disk may take its time.
	unsigned asks = br_board_pause(work->board);
	int r = br_journal_sync(&work->journal) < 0 ? br_work_broken(work) : 0;
	br_board_resume(work->board, asks);
	return r;
}

struct br_few br_few_of(struct br_apply_result *result) {
	return (struct br_few){result->examples, result->reasons, &result->nexamples};
}

void br_few_add(struct br_arena *arena, struct br_few few, const struct br_target *target,
	const char *path, const char *why) {
	if (*few.n >= BR_EXAMPLES) {
		return;
	}
	const char *real = target != NULL ? target->real : "";
	const char *slash = target != NULL && path[0] != '\0' ? "/" : "";
	char *whole = br_printf(arena, "%s%s%s", real, slash, path);
	char *reason = br_strdup(arena, why);
	if (whole != NULL && reason != NULL) {
		few.examples[*few.n] = whole;
		few.reasons[*few.n] = reason;
		(*few.n)++;
	}
}

int br_target_met(
	struct br_arena *arena, struct br_target *target, uint64_t dev, const char *path) {
	for (size_t i = target->elsewhere.n; i > 0; i--) {
		if (target->elsewhere.v[i - 1].dev == dev) {
			return 0;
		}
	}
	struct br_elsewhere met = {dev, br_strdup(arena, path)};
	return met.path == NULL ? -1 : br_vec_push(arena, &target->elsewhere, met);
}

/** The same object to be asked for its file system's sync: a directory or a file. */
static int open_for_sync(int fd) {
	struct br_inode in;
	int opened = br_open_beneath(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, true);
	if (opened >= 0 || errno != ENOTDIR || br_inode_stat(fd, "", &in) < 0
		|| !S_ISREG(in.mode)) {
		return opened;
	}
	return br_sys_reopen(fd, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static int sync_file_system(int fd) {
	if (fd >= 0) {
		return syncfs(fd);
	}
	// What we may change but not read; all that there are, then.
	sync();
	return 0;
}

int br_target_sync(struct br_board *board, const struct br_target *target) {
	br_auto(br_way_release) struct br_way way = BR_WAY_NONE(true);
	br_board_ask(board, target, false);
	br_auto(br_closep) int fd = open_for_sync(target->fd);
	// Only this writes out what there is.
	br_board_ask(board, target, true);
	int r = sync_file_system(fd);
	for (size_t i = 0; i < target->elsewhere.n && r == 0; i++) {
		br_board_ask(board, target, false);
		br_auto(br_closep) int object =
			br_object_open(&way, target, target->elsewhere.v[i].path);
		br_auto(br_closep) int there = object >= 0 ? open_for_sync(object) : -1;
		br_board_ask(board, target, true);
		r = sync_file_system(there);
	}
	int err = errno;
	br_board_ask(board, NULL, false);
	errno = err;
	return r;
}

void br_targets_release(struct br_target *const *targets, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (targets[i]->owns_fd) {
			br_closep(&targets[i]->fd);
			targets[i]->fd = -1;
		}
	}
}

bool br_error_stops(int err) {
	return err == ENOSPC || err == EDQUOT || err == EROFS || err == EIO || err == EOPNOTSUPP;
}

uint64_t br_machine(void) {
	size_t n;
	br_auto(br_freep) char *id = br_read_file(AT_FDCWD, "/etc/machine-id", 4096, &n);
	if (id == NULL || n == 0) {
		return 0;
	}
	// Told apart, not told: the ID itself is confidential.
	return (uint64_t)br_crc32c(1, id, n) << 32 | br_crc32c(2, id, n);
}

bool br_machine_differs(uint64_t machine) {
	uint64_t here = br_machine();
	return here != 0 && machine != 0 && here != machine;
}
