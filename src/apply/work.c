// What every stage of a run shares: its journal, whether it is to stop, the first few that did not go well, its targets' end.

#include "run.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

int br_target_sync(struct br_board *board, const struct br_target *target) {
	br_board_ask(board, target, false);
	br_auto(br_closep) int fd =
		br_open_beneath(target->fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, true);
	int r = 0;
	// Only this writes out what there is.
	br_board_ask(board, target, true);
	if (fd < 0) {
		// A file, or a directory that we may change but not list.
		sync();
	} else {
		r = syncfs(fd);
	}
	br_board_ask(board, NULL, false);
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
