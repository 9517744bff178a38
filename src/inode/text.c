#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/inode.h>

#include <sys/stat.h>

const char *br_perm_text(unsigned perm, char out[4]) {
	out[0] = perm & BR_R ? 'r' : '-';
	out[1] = perm & BR_W ? 'w' : '-';
	out[2] = perm & BR_X ? 'x' : '-';
	out[3] = '\0';
	return out;
}

static char type_letter(uint32_t mode) {
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	default:
		return '-';
	}
}

// The execute bit's place shares it with setuid, setgid and sticky: a small letter over x, a
// capital one without.
static void mark(char *x, bool special, char letter) {
	if (special) {
		*x = *x == 'x' ? letter : (char)(letter - 'a' + 'A');
	}
}

const char *br_mode_text(const struct br_inode *inode, char out[12]) {
	uint32_t mode = inode->mode;
	out[0] = type_letter(mode);
	(void)br_perm_text(mode >> 6, out + 1);
	(void)br_perm_text(mode >> 3, out + 4);
	(void)br_perm_text(mode, out + 7);
	mark(&out[3], mode & S_ISUID, 's');
	mark(&out[6], mode & S_ISGID, 's');
	mark(&out[9], mode & S_ISVTX, 't');
	out[10] = inode->acl || inode->def ? '+' : '\0';
	out[11] = '\0';
	return out;
}

static void add_entry(struct br_buf *buf, const struct br_acl_entry *e) {
	char perm[4];
	(void)br_perm_text(e->perm, perm);
	switch ((enum br_acl_tag)e->tag) {
	case BR_ACL_OWNER:
		br_buf_addf(buf, "u::%s", perm);
		break;
	case BR_ACL_USER:
		br_buf_addf(buf, "u:%u:%s", e->id.v, perm);
		break;
	case BR_ACL_OWNING_GROUP:
		br_buf_addf(buf, "g::%s", perm);
		break;
	case BR_ACL_GROUP:
		br_buf_addf(buf, "g:%u:%s", e->id.v, perm);
		break;
	case BR_ACL_MASK:
		br_buf_addf(buf, "m::%s", perm);
		break;
	case BR_ACL_OTHER:
		br_buf_addf(buf, "o::%s", perm);
		break;
	}
}

char *br_acl_text(struct br_arena *arena, const struct br_acl *acl) {
	br_auto(br_buf_release) struct br_buf buf = {0};
	for (size_t i = 0; i < acl->n; i++) {
		if (i) {
			br_buf_addc(&buf, ',');
		}
		add_entry(&buf, &acl->entries[i]);
	}
	return buf.failed ? NULL : br_strndup(arena, buf.s, buf.n);
}
