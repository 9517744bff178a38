/**
 * What a file system's server says, where its word is the last one (struct br_fs, `served`).
 *
 * NFS with root_squash, FUSE without default_permissions, NFSv4 ACLs: owners and modes are shown
 * there, and decide nothing. Root cannot find out either, since it is judged as root. So a child
 * becomes exactly whom it is about (IDs, groups, and the capabilities that count here), and asks by
 * faccessat2(2), and by opening directories. It changes nothing, reads nothing, has one descriptor
 * beside its line to here, and ends with this process. A server that does not answer keeps it
 * waiting alone.
 *
 * On FUSE a server that does not answer FUSE_ACCESS at all is taken to allow it, as the kernel
 * takes it: it can still refuse an open of a file.
 */
#ifndef BINDRIGHT_SERVER_H
#define BINDRIGHT_SERVER_H

#include <bindright/access.h>

/** Somebody who asks. */
struct br_asker;

/** What he was told of one inode. */
struct br_server_word {
	/** The bits that are allowed one by one (BR_R | BR_W | BR_X). */
	unsigned have;
	/** Those about which the server was not heard: a read-only mount refuses writing before it
	 * is asked. */
	unsigned unheard;
	/** What programs ask at once (w and x of a directory, r and w of anything else) is allowed
	 * bit by bit, but not together. */
	bool apart;
};

/**
 * One who asks as cred about fd (O_PATH will do) and what lies below it. To be made before rights
 * are given up: it takes CAP_SETUID and CAP_SETGID to become somebody else; whoever is cred
 * already, with no other group, needs none. NULL with errno: EPERM where this process cannot become
 * cred, EAGAIN or ENOMEM where there is no room for a child. Only while no other thread runs that
 * has locks.
 */
struct br_asker *br_asker_new(int fd, const struct br_cred *cred);
/**
 * Ask about a path below the descriptor ("": itself), by its type in `mode`, without following
 * links. 0, or -1 with errno: ETIMEDOUT where the server does not answer in time (then it is the
 * answer to every later question too), EPIPE where the child was ended by somebody.
 */
int br_asker_ask(
	struct br_asker *asker, const char *path, uint32_t mode, struct br_server_word *out);
void br_asker_free(struct br_asker *asker);
void br_asker_freep(struct br_asker **asker);

/**
 * Put the server's word in the place of what modes say about `want`. True where the two disagree:
 * then the rule is BR_RULE_SERVER, unless nothing is missing but bits about which it was not heard.
 */
bool br_server_decide(const struct br_server_word *word, uint32_t mode, unsigned want,
	struct br_verdict *verdict);

#endif
