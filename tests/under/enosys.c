// Run a command as on an older kernel: the system calls that are newer than Linux 5.6 answer
// ENOSYS. Openat2 is that old, and without it nothing is changed (tests/hostile/a01). Faccessat2 is
// left: the tests ask the kernel by it, the program does not.

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

// The same numbers on all architectures; those of include/uapi/asm-generic/unistd.h.
static const int newer[] = {
	428, // open_tree: newer kernels only have it with what follows
	429, // move_mount
	430, // fsopen
	431, // fsconfig
	432, // fsmount
	433, // fspick
	436, // close_range
	442, // mount_setattr
	443, // quotactl_fd
	444, // landlock_create_ruleset
	445, // landlock_add_rule
	446, // landlock_restrict_self
	452, // fchmodat2
	457, // statmount
	458, // listmount
	463, // setxattrat
	464, // getxattrat
	465, // listxattrat
	466, // removexattrat
	467, // open_tree_attr
	468, // file_getattr
	469, // file_setattr
};

int main(int argc, char **argv) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL || argc < 2) {
		(void)fprintf(stderr, "usage: enosys COMMAND [ARGUMENT...]\n");
		return 2;
	}
	// Programs that change their user go on doing so.
	int failed = geteuid() == 0 ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) : 0;
	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]) && failed == 0; i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), newer[i], 0);
	}
	failed = failed != 0 ? failed : seccomp_load(filter);
	if (failed != 0) {
		errno = -failed;
		perror("enosys");
		return 2;
	}
	(void)execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
