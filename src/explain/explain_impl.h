/** Shared by the files of explain/. */
#ifndef BR_EXPLAIN_EXPLAIN_IMPL_H
#define BR_EXPLAIN_EXPLAIN_IMPL_H

#include <base/mem.h>
#include <bindright/explain.h>

/** What can be had of an object of this type at all: nobody searches a file, or executes a plain
 * one. */
unsigned whole_need(const struct br_inode *inode);
/** Whether the mount or file system under fd is read-only. */
bool is_read_only(int fd);
/** What an opened object of this file system is like. */
struct facts {
	const struct br_explain_query *query;
	bool keeps_acls;
	/** The file system is read-only, not only the mount as the container sees it. */
	bool fs_read_only;
	/** Either is. */
	bool read_only;
};
/** Fill in both ways to a yes of a step that refuses. 0, or -1 with ENOMEM. */
int find_ways(struct br_arena *arena, const struct facts *facts, struct br_explain_step *step);

#endif
