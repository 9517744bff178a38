#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/inode.h>

#include <stdio.h>
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

static const char *tag_word(enum br_acl_tag tag) {
	switch (tag) {
	case BR_ACL_OWNER:
	case BR_ACL_USER:
		return "u";
	case BR_ACL_OWNING_GROUP:
	case BR_ACL_GROUP:
		return "g";
	case BR_ACL_MASK:
		return "m";
	case BR_ACL_OTHER:
		return "o";
	}
	return "";
}

const char *br_acl_entry_text(const struct br_acl_entry *entry, char out[24]) {
	const char *word = tag_word((enum br_acl_tag)entry->tag);
	char perm[4];
	(void)br_perm_text(entry->perm, perm);
	if (entry->tag == BR_ACL_USER || entry->tag == BR_ACL_GROUP) {
		(void)snprintf(out, 24, "%s:%u:%s", word, entry->id.v, perm); // it fits
	} else {
		(void)snprintf(out, 24, "%s::%s", word, perm); // it fits
	}
	return out;
}

char *br_acl_text(struct br_arena *arena, const struct br_acl *acl) {
	br_auto(br_buf_release) struct br_buf buf = {0};
	char entry[24];
	for (size_t i = 0; i < acl->n; i++) {
		if (i) {
			br_buf_addc(&buf, ',');
		}
		br_buf_add(&buf, br_acl_entry_text(&acl->entries[i], entry));
	}
	return buf.failed ? NULL : br_strndup(arena, buf.s, buf.n);
}
