/*
 * The bare walk, for measuring: how many inodes below a directory are not a user's.
 *
 *   scan_bench DIR [UID [THREADS [acl]]]      THREADS 0: one a core; acl: read every ACL as well
 *
 * What `find DIR ! -uid UID` has to do, in the library's way.
 */
#include <base/own.h>
#include <base/text.h>
#include <bindright/scan.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct count {
	uint64_t inodes, others, acls, errors;
};

static int walk(struct br_scan *scan, uint32_t uid, struct count *count) {
	const struct br_entry *entry = NULL;
	int more = 0;
	while ((more = br_scan_next(scan, &entry)) > 0) {
		count->inodes++;
		count->errors += entry->err != 0;
		if (entry->inode) {
			count->others += entry->inode->uid.v != uid;
			count->acls += entry->inode->acl != NULL;
		}
	}
	return more;
}

int main(int argc, char **argv) {
	uint32_t uid = 0;
	uint32_t threads = 0;
	if (argc < 2 || (argc > 2 && br_parse_u32(argv[2], UINT32_MAX, &uid))
		|| (argc > 3 && br_parse_u32(argv[3], 1024, &threads))) {
		(void)fputs("usage: scan_bench DIR [UID [THREADS [acl]]]\n", stderr);
		return 2;
	}
	const struct br_scan_options options = {
		.threads = threads,
		.depth = UINT_MAX,
		.want = argc > 4 ? BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL : 0,
	};
	br_auto(br_closep) int root = open(argv[1], O_PATH | O_CLOEXEC);
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_scan_freep) struct br_scan *scan =
		root < 0 || !acls ? NULL : br_scan_new(root, acls, &options);
	struct count count = {0};
	if (!scan || walk(scan, uid, &count)) {
		(void)fprintf(stderr, "scan_bench: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	(void)printf("inodes=%" PRIu64 " others=%" PRIu64 " acls=%" PRIu64 " errors=%" PRIu64 "\n",
		count.inodes, count.others, count.acls, count.errors);
	return 0;
}
