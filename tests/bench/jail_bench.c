// What the jail costs: jail_bench DIRECTORY [ROUNDS]. Median and best, in microseconds, of a child
// that only ends, of one that goes into the jail first, and of the parts of that; then, of the
// last, what came after all that it did: the kernel takes its mounts apart.

#include <base/jail.h>
#include <base/sys.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum part {
	NOTHING,
	CLONED,
	ENTERED,
	ALL,
	PARTS,
};

static double now(void) {
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
		exit(1);
	}
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int go(int tree, enum part part) {
	const char *what;
	if (part == NOTHING) {
		return 0;
	}
	int keep[] = {br_jail_mount(tree, false)};
	if (keep[0] < 0 || part == CLONED) {
		return keep[0] < 0;
	}
	if (br_jail_enter(keep, 1, &what) || part == ENTERED) {
		return part != ENTERED;
	}
	return br_jail_drop(1 << CAP_CHOWN | 1 << CAP_FOWNER, 0) != 0;
}

static int compare(const void *a, const void *b) {
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv) {
	static const char *const names[PARTS] = {"fork and wait", "+ a tree's own mount",
		"+ mounts, root, descriptors", "+ capabilities, system calls"};
	int tree = argc > 1 ? open(argv[1], O_PATH | O_CLOEXEC) : -1;
	size_t rounds = argc > 2 ? (size_t)atol(argv[2]) : 200;
	double *times = calloc(rounds, sizeof(*times));
	double *ends = calloc(rounds, sizeof(*ends));
	double *done = mmap(
		NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tree < 0 || times == NULL || ends == NULL || done == MAP_FAILED
		|| br_sys_prepare() != 0) {
		return 2;
	}
	for (enum part part = NOTHING; part < PARTS; part++) {
		for (size_t i = 0; i < rounds; i++) {
			int status = 1;
			double from = now();
			pid_t pid = fork();
			if (pid == 0) {
				int failed = go(tree, part);
				*done = now();
				_exit(failed);
			}
			if (waitpid(pid, &status, 0) != pid || status != 0) {
				fprintf(stderr, "jail_bench: %s: it cannot be had here\n",
					names[part]);
				return 1;
			}
			times[i] = now() - from;
			ends[i] = now() - *done;
		}
		qsort(times, rounds, sizeof(*times), compare);
		printf("%-30s median %6.0f us, best %6.0f us\n", names[part], times[rounds / 2],
			times[0]);
	}
	qsort(ends, rounds, sizeof(*ends), compare);
	printf("%-30s median %6.0f us, best %6.0f us\n", "of that: its end", ends[rounds / 2],
		ends[0]);
	free(ends);
	free(times);
	return 0;
}
