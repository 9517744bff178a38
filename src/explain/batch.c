/** Many questions, one line each. */
#include "explain_impl.h"
#include "query.h"

#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct br_batch {
	struct br_acls *acls;
	struct query query;
	/** The host's IDs of query.groups, sorted. */
	br_hostid *groups;
	struct br_cred cred;
	struct br_buf answer;
};

struct br_batch *br_batch_new(void) {
	struct br_batch *batch = calloc(1, sizeof(*batch));
	if (!batch) {
		return NULL;
	}
	batch->acls = br_acls_new();
	batch->query.groups = calloc(QUERY_GROUPS, sizeof(uint32_t));
	batch->groups = calloc(QUERY_GROUPS, sizeof(br_hostid));
	if (!batch->acls || !batch->query.groups || !batch->groups) {
		br_batch_free(batch);
		errno = ENOMEM;
		return NULL;
	}
	return batch;
}

void br_batch_free(struct br_batch *batch) {
	if (batch) {
		br_acls_free(batch->acls);
		free(batch->query.groups);
		free(batch->groups);
		br_buf_release(&batch->answer);
		free(batch);
	}
}

void br_batch_freep(struct br_batch **batch) {
	br_batch_free(*batch);
}

static int by_id(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

/** Who asks, as the kernel knows him. NULL, or what is wrong with it. */
static const char *make_cred(struct br_batch *batch) {
	struct query *query = &batch->query;
	struct br_cred *cred = &batch->cred;
	// As engines have it: one map alone is the map of both.
	const struct query_map *uids = query->uids.given ? &query->uids : &query->gids;
	const struct query_map *gids = query->gids.given ? &query->gids : &query->uids;
	*cred = (struct br_cred){.caps = query->caps, .groups = batch->groups};
	cred->uids = (struct br_idmap){uids->extents, uids->n};
	cred->gids = (struct br_idmap){gids->extents, gids->n};
	if (!br_idmap_to_host(&cred->uids, query->uid, &cred->uid)) {
		return "the uid has no mapping";
	}
	if (!br_idmap_to_host(&cred->gids, query->gid, &cred->gid)) {
		return "the gid has no mapping";
	}
	for (size_t i = 0; i < query->ngroups; i++) {
		br_boxid box = {query->groups[i]};
		if (!br_idmap_to_host(&cred->gids, box, &batch->groups[i])) {
			return "a group has no mapping";
		}
	}
	qsort(batch->groups, query->ngroups, sizeof(batch->groups[0]), by_id);
	cred->ngroups = query->ngroups;
	return NULL;
}

/** The kernel asks neither the owner nor an empty group class for an ACL; all others are judged by
 * it, if there is one. */
static bool needs_acl(const struct br_inode *inode, const struct br_cred *cred) {
	return (inode->mode & S_IRWXG) && inode->uid.v != cred->uid.v && !S_ISLNK(inode->mode);
}

static const char *judge(struct br_batch *batch, int fd) {
	char have[4];
	unsigned char acl[4096];
	struct br_inode inode;
	const struct query *query = &batch->query;
	if (br_inode_stat(fd, "", &inode)) {
		return strerror(errno);
	}
	if (needs_acl(&inode, &batch->cred)) {
		ssize_t n = br_inode_attribute(fd, "", BR_HAVE_ACL, acl, sizeof(acl));
		if (n < 0 || br_inode_take(&inode, BR_HAVE_ACL, batch->acls, acl, (size_t)n)) {
			return strerror(errno);
		}
	} else {
		inode.have |= BR_HAVE_ACL;
	}
	unsigned need = query->need ? query->need : whole_need(&inode);
	struct br_where where = {.read_only = query->read_only || is_read_only(fd)};
	struct br_verdict verdict = br_access_use(&inode, &batch->cred, &where, need);
	br_buf_add(&batch->answer, "{\"granted\": ");
	br_buf_add(&batch->answer, verdict.missing ? "false" : "true");
	br_buf_add(&batch->answer, ", \"have\": \"");
	br_buf_add(&batch->answer, br_perm_text(verdict.have, have));
	br_buf_add(&batch->answer, "\", \"rule\": \"");
	br_buf_add(&batch->answer, br_rule_name(verdict.rule));
	br_buf_add(&batch->answer, "\"}\n");
	return NULL;
}

static const char *look_and_judge(struct br_batch *batch) {
	const char *why = make_cred(batch);
	if (why) {
		return why;
	}
	br_auto(br_closep) int fd = open(batch->query.path, O_PATH | O_CLOEXEC);
	return fd < 0 ? strerror(errno) : judge(batch, fd);
}

const char *br_batch_answer(struct br_batch *batch, const char *line, size_t n, size_t *len) {
	const char *why = query_read(&batch->query, line, n) ? batch->query.error : NULL;
	batch->answer.n = 0;
	why = why ? why : look_and_judge(batch);
	if (why) {
		// Our own words and the C library's: nothing in them has to be escaped.
		batch->answer.n = 0;
		br_buf_add(&batch->answer, "{\"error\": \"");
		br_buf_add(&batch->answer, why);
		br_buf_add(&batch->answer, "\"}\n");
	}
	*len = batch->answer.n;
	return batch->answer.failed ? NULL : batch->answer.s;
}
