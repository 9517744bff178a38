/** The pipeline of one command: from the words of the command line to a settled plan. */
#ifndef BR_CLI_SESSION_H
#define BR_CLI_SESSION_H

#include "cli.h"

/** Everything that was made on the way; later ones point into earlier ones. */
struct session {
	const struct cli *cli;
	/** "fix" or "reclaim"; NULL: what changes nothing. */
	const char *command;
	struct br_arena arena;
	/** The services to read, NULL at the end; NULL: those that the command line names. */
	const char *const *services;
	/** Where they stand, parallel. */
	const struct br_span *services_at;
	/** How the input was read. */
	struct br_spec_request request;
	struct br_spec *spec;
	struct br_hostdb *hostdb;
	/** As it is after a fix. */
	struct br_hostdb *hostdb_again;
	struct br_acls *acls;
	/** What the engine says of containers, parallel to the spec's; NULL: it was not asked. */
	struct br_engine_container *existing;
	/** The engine's socket, where it may be asked; NULL: nowhere. */
	const char *socket;
	/** It was too slow to say what it is: nobody waits for it again. */
	bool is_slow;
	const struct br_engine_mode *mode;
	const struct br_identity *identities;
	const struct br_image *images;
	struct br_demands *demands;
	struct br_plan_options plan_options;
	/** br_inode_seals, once there is a plan. */
	bool seals;
	struct br_plan *plan;
	struct br_check *check;
	/** session_start_asking's, or NULL. */
	struct br_asking *asking;
	/** Told of all that the plan does not remember; NULL: it remembers nothing. */
	struct br_told *rest;
	/** Which of the spec's containers run now; NULL: nobody could be asked. */
	const bool *running;
	/** What --files-from lists, or NULL. */
	const char *const *only;
	size_t nonly;
	/** Names of the keepers, NULL at the end. */
	const char *const *keepers;
	/** The plan's promise, or NULL; goes into the report. */
	const struct br_saved *saved;
	/** --resume: the runs to go on from; they are settled only when the plan is applied where
	 * they left nothing half done. */
	struct br_resumed resumed;
	bool settles_later;
};

/* words.c: what the command line asks for. Absent words become what the library expects; wrong ones
 * are errors in dx, and -1. */

int words_request(struct session *session, struct br_spec_request *request);
/** --user. */
int words_pins(struct session *session, struct br_identity_options *options);
/** --need. */
int words_needs(struct session *session, struct br_demand_options *options);
/** session->plan_options, and who keeps access; session->hostdb is there. */
int words_plan(struct session *session);
/** How far the check goes. */
int words_check(const struct session *session, struct br_check_options *options);

/** Work out which engine it is and how it runs: session->socket and mode, from the words,
 * session->spec (or NULL) and session->hostdb. 0, or -1 with errors in dx. */
int session_engine(struct session *session);
/** What containers that nobody asked about mount, by the words of all engines that may be asked. 0,
 * or -1 with an error in dx. */
int session_claims(struct session *session, struct br_claims *out);
/** The containers of --container: session->spec and existing. 0, or -1 with errors in dx. */
int session_containers(struct session *session);
/** What the engine has of the spec's containers where only that tells who they are:
 * session->existing. 0, or -1 with errors in dx. */
int session_look_up(struct session *session);
/** Read the input and work out who each container is, no more. 0, or the exit status with errors in
 * dx. */
int session_understand(struct session *session, const struct cli *cli);
/** Read the input and work out who and where. 0, or the exit status with errors in dx. */
int session_read(struct session *session, const struct cli *cli);
/** The input as it would be read after an edit (`context`: the session); NULL where it would not be
 * understood. The caller frees it. */
struct br_spec *session_read_edited(void *context, struct br_span at, const char *with);
/** Who keeps access: session->keepers and the plan's. 0, or -1 with errors in dx. */
int session_keepers(struct session *session);
/** --files-from: the paths, absolute, NULL at the end; their number in *count. NULL with an error
 * in dx. */
const char *const *session_listed(struct session *session, size_t *count);
/** Before rights are given up that asking servers takes. 0, or the exit status with an error in dx.
 */
int session_start_asking(struct session *session);
/** Walk and judge; with a plan where `planned`. 0, or the exit status with errors in dx. */
int session_check(struct session *session, bool planned);
/** session_check with a plan once more, of the sources as they are now. */
int session_plan_anew(struct session *session);
/** Behind session_understand(): open the sources and judge what is needed to say whether the
 * containers start. 0, or the exit status with errors in dx. */
int session_check_start(struct session *session);
/** Work out what the plan promises: session->saved. `text`: a saved plan's own text, which is no
 * input. 0, or the exit status. */
int session_promise(struct session *session, uint16_t text);
/** Before a change: whom to tell of what becomes of each entry, so that it need not be looked at
 * again; *told stays NULL where that would not do. 0, or the exit status. */
int session_foresee(struct session *session, struct br_told **told);
/**
 * Judge again after a change: demands and check are made anew, the plan is kept. *again is the
 * caller's; `told` may be NULL; `rest`: it was told only of what the plan remembers. 0, or the exit
 * status.
 */
int session_check_again(struct session *session, const struct br_told *told, bool rest,
	struct br_demands **demands, struct br_check **again);
/** The report of this session (`applied` and `again` may be NULL) to where it belongs. 0, or the
 * exit status. */
int session_report(const struct session *session, const char *command,
	const struct br_apply_result *applied, const struct br_check *again);
/** What the check amounts to under --fail-on: CLI_FITS or CLI_MISFIT. */
int session_verdict(const struct session *session, const struct br_check *check);
/** The habits of the engine that will start it. */
const struct br_habits *session_habits(const struct session *session);
/** What the container makes of the mounts below one of its sources. */
enum br_submounts session_submounts(
	const struct session *session, const struct br_mount_source *ms);
/** br_check_mounter(). */
bool session_mounter(
	const struct session *session, const struct br_mount_source *ms, struct br_cred *out);
void session_release(struct session *session);

#endif
