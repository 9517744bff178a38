/** Podman's `:O`. */
#include "check_impl.h"

enum {
	/** What IDs look like that have no mapping (fs.overflowuid, fs.overflowgid). */
	OVERFLOW_ID = 65534,
};

bool br_check_overlay_maps(const struct br_cred *mounter, const struct br_inode *inode) {
	br_boxid box;
	return br_idmap_to_box(&mounter->uids, inode->uid, &box)
		&& br_idmap_to_box(&mounter->gids, inode->gid, &box);
}

void br_check_overlay(const struct br_cred *mounter, const struct br_inode *inode,
	bool above_mapped, unsigned want, struct br_verdict *verdict) {
	struct br_verdict its =
		br_access(inode, mounter, &(struct br_where){0}, want & (BR_R | BR_X));
	bool copies = above_mapped && br_check_overlay_maps(mounter, inode);
	// Writing is reading, until it is copied.
	unsigned may = (its.have & (BR_R | BR_X)) | (copies && (its.have & BR_R) ? BR_W : 0);
	unsigned lost = verdict->have & ~may;
	verdict->have &= may;
	if (!(lost & want)) {
		return;
	}
	verdict->missing |= lost & want;
	verdict->rule = its.missing ? its.rule : copies ? verdict->rule : BR_RULE_UNMAPPED;
	verdict->base = its.base;
	verdict->entry = its.entry;
	verdict->masked = its.masked;
}

void br_check_overlay_top(const struct br_engine_mode *mode, struct br_inode *inode) {
	br_boxid box;
	if (!mode || !mode->user) {
		return;
	}
	if (!br_idmap_to_box(&mode->uids, inode->uid, &box)) {
		(void)br_idmap_to_host(
			&mode->uids, (br_boxid){OVERFLOW_ID}, &inode->uid); // or as it is
	}
	if (!br_idmap_to_box(&mode->gids, inode->gid, &box)) {
		(void)br_idmap_to_host(&mode->gids, (br_boxid){OVERFLOW_ID}, &inode->gid);
	}
}
