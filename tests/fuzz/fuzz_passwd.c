/** libFuzzer: any bytes as passwd and as group. */
#include <image/parts.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct br_arena arena = {0};
	const struct br_image_user *users = NULL;
	const struct br_image_group *groups = NULL;
	size_t count = 0;
	if (!passwd_parse(&arena, (const char *)bytes, n, &users, &count)) {
		require(count <= 10000);
		for (size_t i = 0; i < count; i++) {
			require(!strpbrk(users[i].name, ":"));
			require(users[i].malformed
				|| (users[i].uid <= INT32_MAX && users[i].gid <= INT32_MAX));
		}
	}
	if (!group_parse(&arena, (const char *)bytes, n, &groups, &count)) {
		require(count <= 10000);
		for (size_t i = 0; i < count; i++) {
			require(!strpbrk(groups[i].name, ":") && *groups[i].name != '#');
			require(groups[i].malformed || groups[i].gid <= INT32_MAX);
			for (size_t k = 0; groups[i].members[k]; k++) {
				require(*groups[i].members[k]
					&& !strpbrk(groups[i].members[k], ":,"));
			}
		}
	}
	br_arena_release(&arena);
	return 0;
}
