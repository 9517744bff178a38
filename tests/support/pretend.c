#include "pretend.h"

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int capset_effective(uint64_t effective, uint64_t permitted) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
		{.effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32)}};
	return (int)syscall(SYS_capset, &header, data);
}

uint64_t permitted_now(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data)) {
		return 0;
	}
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

int become(const struct who *who, uint64_t all) {
	if (capset_effective(all, all) || syscall(SYS_setresuid, -1, 0, -1)
		|| syscall(SYS_setresgid, -1, 0, -1)) {
		return -1;
	}
	if (!who) {
		return 0;
	}
	if (capset_effective(all, all)
		|| syscall(SYS_setgroups, (size_t)who->ngroups, who->groups)) {
		return -1;
	}
	if (who->whole) {
		if (syscall(SYS_setresgid, -1, who->gid, -1)
			|| syscall(SYS_setresuid, -1, who->uid, -1)) {
			return -1;
		}
	} else {
		(void)syscall(SYS_setfsgid, who->gid);
		(void)syscall(SYS_setfsuid, who->uid);
	}
	if (syscall(SYS_setfsuid, -1) != (long)who->uid
		|| syscall(SYS_setfsgid, -1) != (long)who->gid) {
		return -1;
	}
	return capset_effective(who->caps & all, all);
}

static int write_map(pid_t pid, const char *file, const struct br_idmap *map) {
	char path[64];
	char text[512];
	size_t n = 0;
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%u %u %u\n", e->box, e->host, e->count);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	br_auto(br_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

static int write_maps(pid_t pid, const struct map_pair *maps) {
	return write_map(pid, "uid_map", &maps->uids) || write_map(pid, "gid_map", &maps->gids) ? -1
												: 0;
}

pid_t fork_into(const struct map_pair *maps, int *to) {
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		return -1;
	}
	pid_t pid = fork();
	char word = 'u';
	if (pid != 0) {
		(void)close(ends[1]);
		*to = ends[0];
		if (pid < 0 || (maps->uids.n == 0)) {
			return pid;
		}
		bool ready = read(ends[0], &word, 1) == 1 && word == 'u' && !write_maps(pid, maps);
		return ready && write(ends[0], &word, 1) == 1 ? pid : -1;
	}
	(void)close(ends[0]);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	*to = ends[1];
	if (maps->uids.n == 0) {
		return 0;
	}
	word = unshare(CLONE_NEWUSER) ? 'x' : 'u';
	// Who is 0 inside has all capabilities there; the maps make it one.
	if (write(ends[1], &word, 1) != 1 || read(ends[1], &word, 1) != 1
		|| syscall(SYS_setresgid, 0, 0, 0) || syscall(SYS_setresuid, 0, 0, 0)) {
		_exit(1);
	}
	return 0;
}

int namespace_of(const struct map_pair *maps) {
	int to = -1;
	char path[64];
	char word;
	pid_t pid = fork_into(maps, &to);
	if (pid == 0) {
		(void)!read(to, &word, 1);
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	br_closep(&to);
	if (pid > 0) {
		(void)waitpid(pid, NULL, 0);
	}
	return fd;
}

int view_of(int dirfd, uint64_t attributes, int userns) {
	struct mount_attr attr = {.attr_set = attributes};
	if (userns >= 0) {
		attr.userns_fd = (uint32_t)userns;
	}
	br_auto(br_closep) int fd = (int)syscall(
		SYS_open_tree, dirfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr))) {
		return -1;
	}
	return br_steal_fd(&fd);
}
