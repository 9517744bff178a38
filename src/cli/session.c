#include "session.h"

#include <base/file.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct br_hostdb *read_hostdb(const struct cli *cli) {
	const struct br_text *root = &cli->args->sysroot;
	// The library would say the same, but does not know where the word stands.
	if (root->s && access(root->s, F_OK)) {
		(void)br_error(cli->dx, root->at, "cannot open '%s': %s", root->s, strerror(errno));
		return NULL;
	}
	return br_hostdb_read(root->s ? root->s : "/", cli->dx);
}

/** Whom the images run as. */
static int read_images(struct session *session, struct br_identity_options *who) {
	const struct cli_words *words = &session->cli->args->image_archives;
	struct br_image_options options = {
		.archives = words->v,
		.narchives = words->n,
		.socket = session->socket,
		.is_slow = session->is_slow,
		.trusted = session->cli->world->invoker,
		.reads_mounted = br_engine_has(session->mode->engine, session->mode->version,
			BR_TRAIT_READS_MOUNTED_ACCOUNTS),
	};
	if (session->spec->kind == BR_INPUT_CONTAINER) {
		options.containers = session->existing;
	}
	who->images = br_images_read(&session->arena, session->spec, &options, session->cli->dx);
	session->images = who->images;
	return who->images ? 0 : -1;
}

static int read_spec(struct session *session) {
	session->spec = br_spec_read(&session->request, session->cli->dx);
	return session->spec && !br_check_ignores(session->spec, session->cli->dx) ? 0 : -1;
}

int session_understand(struct session *session, const struct cli *cli) {
	struct br_identity_options who = {0};
	session->cli = cli;
	if (words_request(session, &session->request) || words_pins(session, &who)) {
		return CLI_USAGE;
	}
	session->hostdb = read_hostdb(cli);
	session->acls = br_acls_new();
	if (!session->hostdb || !session->acls) {
		return session->hostdb ? (br_error_memory(cli->dx), CLI_FAILED) : CLI_USAGE;
	}
	if (cli->args->containers.n ? session_containers(session) : read_spec(session)) {
		return CLI_USAGE;
	}
	if (session_engine(session) || session_look_up(session) || read_images(session, &who)) {
		return CLI_USAGE;
	}
	who.existing = session->existing;
	who.mode = session->mode;
	session->identities = br_identify(&session->arena, session->spec, &who, cli->dx);
	return session->identities ? 0 : CLI_USAGE;
}

/** Where something may be changed: what those mount that nobody asked about. 0, or -1 with an error
 * in dx. */
static int find_others(struct session *session, struct br_demand_options *what) {
	struct br_claims claims = {0};
	const struct cli_args *args = session->cli->args;
	unsigned command = args->command ? args->command->bit : CLI_CHECK;
	what->others = (command & (CLI_PLAN | CLI_FIX | CLI_RECLAIM)) != 0 && !args->other_mounts;
	if (what->others && session_claims(session, &claims)) {
		return -1;
	}
	what->claims = claims.v;
	what->nclaims = claims.n;
	return 0;
}

/** Who of them runs now; no more than a courtesy, and only where something may be changed. */
static const bool *ask_running(struct session *session) {
	struct br_image_options options = {.socket = session->socket, .is_slow = session->is_slow};
	const struct br_spec *spec = session->spec;
	bool *running = BR_NEW_ARRAY(&session->arena, bool, session->spec->n);
	if (!options.socket || !running) {
		return NULL;
	}
	if (spec->kind == BR_INPUT_CONTAINER) {
		for (size_t i = 0; i < spec->n; i++) {
			running[i] = spec->containers[i].runs;
		}
		return running;
	}
	return br_images_running(
		       &session->arena, session->spec, &options, running, session->cli->dx)
		? NULL
		: running;
}

/** session->demands: what is mounted, as it is now. */
static int make_demands(struct session *session, struct br_demand_options *what) {
	what->mode = session->mode;
	if (find_others(session, what)) {
		return CLI_FAILED;
	}
	session->demands =
		br_demands_make(session->spec, session->identities, what, session->cli->dx);
	return session->demands ? 0 : CLI_USAGE;
}

int session_read(struct session *session, const struct cli *cli) {
	struct br_demand_options what = {.trusted = cli->world->invoker};
	session->cli = cli;
	if (words_needs(session, &what)) {
		return CLI_USAGE;
	}
	if (cli->args->files_from.s) {
		session->only = session_listed(session, &session->nonly);
		if (!session->only) {
			return CLI_USAGE;
		}
	}
	int status = session_understand(session, cli);
	if (status) {
		return status;
	}
	status = make_demands(session, &what);
	if (status) {
		return status;
	}
	// Asked now: a check may soon have no right to.
	session->running = ask_running(session);
	return words_plan(session) == 0 ? 0 : CLI_USAGE;
}

const struct br_habits *session_habits(const struct session *session) {
	return br_habits(session->mode->engine, session->mode->version);
}

static int fill_check_options(const struct session *session, struct br_check_options *options) {
	options->habits = session_habits(session);
	options->rootless = br_engine_is_rootless(session->mode->engine);
	options->excludes = session->plan_options.excludes;
	options->keepers = session->keepers;
	options->only = session->only;
	options->nonly = session->nonly;
	return words_check(session, options);
}

static struct br_check_input check_input(const struct session *session) {
	return (struct br_check_input){
		.spec = session->spec,
		.mode = session->mode,
		.identities = session->identities,
		.images = session->images,
		.demands = session->demands,
		.hostdb = session->hostdb,
		.acls = session->acls,
	};
}

/** Default ACLs may be asked for: then the plan must see all directories. */
static bool wants_future(const struct session *session) {
	for (size_t i = 0; i < session->demands->nmounts; i++) {
		const char *word = session->demands->mounts[i].mount->wishes.future_files.s;
		if (word && strcmp(word, "true") == 0) {
			return session->plan_options.future_files >= 0;
		}
	}
	return session->plan_options.future_files > 0;
}

enum br_submounts session_submounts(
	const struct session *session, const struct br_mount_source *ms) {
	const struct br_check_input input = check_input(session);
	return br_check_submounts(&input, session_habits(session), ms);
}

bool session_mounter(
	const struct session *session, const struct br_mount_source *ms, struct br_cred *out) {
	const struct br_check_input input = check_input(session);
	return br_check_mounter(&input, ms, out);
}

static bool some_keeper_demands(const struct session *session) {
	for (size_t i = 0; i < session->plan_options.nkeepers; i++) {
		if (session->plan_options.keepers[i].demanded) {
			return true;
		}
	}
	return false;
}

/** br_watch's: what the plan does not remember will not be looked at again. */
static int see(void *context, const struct br_tree *tree, const struct br_entry *entry,
	struct br_diags *dx) {
	const struct session *session = context;
	if (br_plan_see(session->plan, tree, entry, dx)) {
		return -1;
	}
	return session->rest && br_plan_leaves_out(session->plan)
		? br_told_see(session->rest, tree, entry)
		: 0;
}

static int start_plan(struct session *session, struct br_watch *watch) {
	struct br_plan_input input = {
		.spec = session->spec,
		.identities = session->identities,
		.demands = session->demands,
		.hostdb = session->hostdb,
		.acls = session->acls,
		.engine = session->mode->engine,
		.runtime = session->mode->runtime,
		.engine_user = session->mode->user,
		.trial = {session_read_edited, session},
	};
	session->seals = br_inode_seals();
	session->plan = br_plan_new(&input, &session->plan_options, session->cli->dx);
	*watch = (struct br_watch){
		.see = see,
		.context = session,
		.want = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS
			| (session->seals ? BR_HAVE_SEAL : 0U),
		.all = some_keeper_demands(session) || wants_future(session)
			|| session->plan_options.reclaim,
	};
	return session->plan ? 0 : -1;
}

int session_start_asking(struct session *session) {
	const struct br_check_input input = check_input(session);
	session->asking = br_asking_new(&input);
	return session->asking ? 0 : (br_error_memory(session->cli->dx), CLI_FAILED);
}

int session_check(struct session *session, bool planned) {
	struct br_check_options options = {0};
	struct br_check_input input = check_input(session);
	if (fill_check_options(session, &options)) {
		return CLI_USAGE;
	}
	options.running = session->running;
	if (!planned || options.depth != UINT_MAX || options.only || options.cross
		|| options.fail_fast) {
		session->plan_options.remember = 0;
	}
	if (session->plan_options.remember > 0) {
		session->rest = br_told_new(&input, &options, false, session->cli->dx);
		if (!session->rest) {
			return CLI_FAILED;
		}
	}
	session->plan_options.levels = options.depth + 1; // UINT_MAX, all levels, wraps to 0
	if (planned && start_plan(session, &options.watch)) {
		return CLI_FAILED;
	}
	options.asking = session->asking;
	// Only where signals are caught by then, of course.
	options.stop = session->cli->world->stop;
	options.progress = cli_looked(session->cli);
	session->check = br_check_run(&input, &options, session->cli->dx);
	cli_progress_ends(options.progress);
	if (!session->check) {
		return CLI_FAILED;
	}
	if (planned) {
		br_plan_heed(session->plan, session->check);
	}
	return planned && br_plan_settle(session->plan, session->cli->dx) ? CLI_FAILED : 0;
}

int session_plan_anew(struct session *session) {
	struct br_demand_options what = {.trusted = session->cli->world->invoker};
	br_check_free(session->check);
	session->check = NULL;
	br_told_free(session->rest);
	session->rest = NULL;
	br_plan_free(session->plan);
	session->plan = NULL;
	br_demands_free(session->demands);
	session->demands = NULL;
	if (words_needs(session, &what)) {
		return CLI_USAGE;
	}
	int status = make_demands(session, &what);
	return status ? status : session_check(session, true);
}

/** Whether what lies in the sources decides about the start: Podman's `:U`. */
static bool walks_to_start(const struct br_spec *spec) {
	for (size_t i = 0; i < spec->n; i++) {
		for (size_t k = 0; k < spec->containers[i].nmounts; k++) {
			if (spec->containers[i].mounts[k].chown) {
				return true;
			}
		}
	}
	return false;
}

int session_check_start(struct session *session) {
	struct br_check_options options = {0};
	struct br_demand_options what = {
		.trusted = session->cli->world->invoker, .mode = session->mode};
	session->demands =
		br_demands_make(session->spec, session->identities, &what, session->cli->dx);
	if (!session->demands || fill_check_options(session, &options)) {
		return CLI_USAGE;
	}
	struct br_check_input input = check_input(session);
	options.keepers = NULL;
	options.fail_fast = false;
	options.depth = walks_to_start(session->spec) ? UINT_MAX : 0;
	session->check = br_check_run(&input, &options, session->cli->dx);
	return session->check ? 0 : CLI_FAILED;
}

int session_promise(struct session *session, uint16_t text) {
	struct br_saved *out = BR_NEW(&session->arena, struct br_saved);
	struct br_places *places = br_diags_places(session->cli->dx);
	if (!out) {
		(void)br_error_memory(session->cli->dx);
		return CLI_FAILED;
	}
	out->text = text;
	if (br_plan_save(session->plan, places, &session->arena, out)) {
		(void)br_error_memory(session->cli->dx);
		return CLI_FAILED;
	}
	session->saved = out;
	return cli_saved_origin(session->cli, &session->arena, out) ? CLI_USAGE : 0;
}

int session_foresee(struct session *session, struct br_told **told) {
	const struct br_plan *plan = session->plan;
	struct br_check_options options = {0};
	struct br_check_input input = check_input(session);
	size_t changed = 0;
	for (size_t i = 0; i < plan->ntrees; i++) {
		changed += !plan->trees[i].refused && plan->trees[i].changes > 0;
	}
	if (fill_check_options(session, &options)) {
		return CLI_USAGE;
	}
	// What changes one tree may lie in another one too, and who is made has groups that files
	// were judged without.
	if (changed != 1 || plan->nmakes > 0 || plan->naccounts > 0 || options.fail_fast
		|| options.depth != UINT_MAX) {
		return 0;
	}
	*told = br_told_new(&input, &options, true, session->cli->dx);
	return *told ? 0 : CLI_FAILED;
}

int session_check_again(struct session *session, const struct br_told *told, bool rest,
	struct br_demands **demands, struct br_check **again) {
	struct br_check_options options = {0};
	struct br_demand_options what = {.trusted = session->cli->world->invoker};
	struct br_check_input input = check_input(session);
	if (fill_check_options(session, &options) || words_needs(session, &what)) {
		return CLI_USAGE;
	}
	// The fix may have made accounts.
	br_hostdb_free(session->hostdb_again);
	session->hostdb_again = read_hostdb(session->cli);
	what.mode = session->mode;
	*demands = br_demands_make(session->spec, session->identities, &what, session->cli->dx);
	if (!*demands || !session->hostdb_again) {
		return CLI_FAILED;
	}
	input.hostdb = session->hostdb_again;
	input.demands = *demands;
	options.told = told;
	options.rest = rest ? session->rest : NULL;
	// What follows a change is caught, for there is something to be said then.
	options.stop = session->cli->world->stop;
	options.progress = cli_looked(session->cli);
	*again = br_check_run(&input, &options, session->cli->dx);
	cli_progress_ends(options.progress);
	return *again ? 0 : CLI_FAILED;
}

/** Whether words beside the command decided about the report. */
static bool is_worded(const struct session *session) {
	const struct cli_args *args = session->cli->args;
	struct br_arena arena = {0};
	const char **words = BR_NEW_ARRAY(&arena, const char *, (size_t)args->argc + 1);
	bool any = words && cli_deciding_words(args, words, NULL) > 0;
	br_arena_release(&arena);
	return any;
}

int session_report(const struct session *session, const char *command,
	const struct br_apply_result *applied, const struct br_check *again) {
	struct br_report report = {
		.places = br_diags_places(session->cli->dx),
		.spec = session->spec,
		.check = session->check,
		.plan = session->plan,
		.applied = applied,
		.again = again,
		.command = command,
		.worded = is_worded(session),
		.engine = br_engine_name(session->mode->engine),
		.diags = session->cli->dx,
		.saved = session->saved,
	};
	struct br_report_style style = cli_style(session->cli);
	size_t n;
	char *bytes = br_report_check(&report, &style, &n);
	if (!bytes) {
		(void)br_error_memory(session->cli->dx);
		return CLI_FAILED;
	}
	if (session->saved && n > BR_SAVED_BYTES) {
		free(bytes);
		(void)br_error(session->cli->dx, session->cli->args->output.at,
			"this plan is too large to be saved: more than %d bytes", BR_SAVED_BYTES);
		return CLI_FAILED;
	}
	int failed = cli_write(session->cli, bytes, n);
	free(bytes);
	return failed ? CLI_FAILED : 0;
}

int session_verdict(const struct session *session, const struct br_check *check) {
	const char *from = session->cli->args->fail_on.s;
	bool warnings = from && strcmp(from, "error") != 0;
	bool infos = from && strcmp(from, "info") == 0;
	bool misfit = check->errors > 0 || (warnings && check->warnings > 0)
		|| (infos && check->infos > 0);
	for (size_t i = 0; warnings && !misfit && i < br_diags_count(session->cli->dx); i++) {
		misfit = br_diags_get(session->cli->dx, i)->code != NULL;
	}
	return misfit ? CLI_MISFIT : CLI_FITS;
}

void session_release(struct session *session) {
	br_check_free(session->check);
	br_asking_free(session->asking);
	br_told_free(session->rest);
	br_plan_free(session->plan);
	br_demands_free(session->demands);
	br_acls_free(session->acls);
	br_hostdb_free(session->hostdb);
	br_hostdb_free(session->hostdb_again);
	br_spec_free(session->spec);
	br_arena_release(&session->arena);
}
