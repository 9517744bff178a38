#include "disks.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool disks_apart(void) {
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

// Run a program without its words on standard output; true if it ended well.
static bool run(const char *const *argv) {
	int status;
	pid_t pid;
	posix_spawn_file_actions_t quiet;
	if (posix_spawn_file_actions_init(&quiet)
		|| posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0)) {
		return false;
	}
	char *words[8] = {0};
	for (size_t i = 0; argv[i] && i + 1 < sizeof(words) / sizeof(words[0]); i++) {
		words[i] = strdup(argv[i]);
	}
	int failed = posix_spawnp(&pid, argv[0], &quiet, NULL, words, environ);
	for (size_t i = 0; words[i]; i++) {
		free(words[i]);
	}
	(void)posix_spawn_file_actions_destroy(&quiet);
	return !failed && waitpid(pid, &status, 0) == pid && status == 0;
}

static const char *make_image(const char *kind, const char *image) {
	char program[32];
	int fd = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	// Less is not enough for xfs; no block is taken before it is used.
	int failed = fd < 0 || ftruncate(fd, (off_t)320 << 20);
	if (fd >= 0) {
		(void)close(fd);
	}
	if (failed) {
		return "an image could not be made";
	}
	(void)snprintf(program, sizeof(program), "mkfs.%s", kind);
	const char *const argv[] = {program, "-q", image, NULL};
	return run(argv) ? NULL : "mkfs failed, or is not installed";
}

static const char *mount_image(const char *words, const char *at) {
	char image[PATH_MAX];
	char kind[32] = "";
	char options[64] = "loop";
	size_t n = strcspn(words, "+");
	memcpy(kind, words, n < sizeof(kind) ? n : sizeof(kind) - 1);
	if (words[n]) {
		(void)snprintf(options, sizeof(options), "loop,%s", words + n + 1);
	}
	(void)snprintf(image, sizeof(image), "%s.%s", at, kind);
	const char *why = make_image(kind, image);
	const char *const argv[] = {"mount", "-t", kind, "-o", options, image, at, NULL};
	if (!why && !run(argv)) {
		why = "it could not be mounted from a loop device";
	}
	// The loop device has it still, until it is unmounted.
	(void)unlink(image);
	return why;
}

static bool make_beside(const char *at, const char *name) {
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", at, name);
	return !mkdir(path, 0755);
}

static const char *mount_overlay(const char *at) {
	char options[3 * PATH_MAX];
	const char *why = mount_image("ext4", at);
	if (why) {
		return why;
	}
	(void)snprintf(options, sizeof(options),
		"lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", at, at, at);
	return make_beside(at, "lower") && make_beside(at, "upper") && make_beside(at, "work")
			&& !mount("overlay", at, "overlay", 0, options)
		? NULL
		: "an overlay could not be mounted";
}

const char *disk_mount(const char *kind, const char *at) {
	if (strcmp(kind, "tmpfs") == 0) {
		return mount("none", at, "tmpfs", 0, NULL) ? "a tmpfs could not be mounted" : NULL;
	}
	return strcmp(kind, "overlay") == 0 ? mount_overlay(at) : mount_image(kind, at);
}

void disk_unmount(const char *kind, const char *at) {
	(void)umount2(at, MNT_DETACH);
	if (strcmp(kind, "overlay") == 0) {
		(void)umount2(at, MNT_DETACH);
	}
}
