#include "session.h"

#include <base/file.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** "2.26" as 226; 0 where it is absent, -1 where it is no version. */
static int read_version(const struct br_text *word) {
	unsigned major = 0;
	unsigned minor = 0;
	if (!word->s) {
		return 0;
	}
	const char *dot = strchr(word->s, '.');
	char buf[8];
	if (!dot || (size_t)(dot - word->s) >= sizeof(buf)) {
		return -1;
	}
	memcpy(buf, word->s, (size_t)(dot - word->s));
	buf[dot - word->s] = '\0';
	if (br_parse_u32(buf, 99, &major) || br_parse_u32(dot + 1, 99, &minor)) {
		return -1;
	}
	return (int)(major * 100 + minor);
}

/** A run line stands behind "--", and then no file is read. */
static int check_line(const struct cli *cli) {
	const struct cli_args *args = cli->args;
	if (args->containers.n && (args->has_line || args->files.n || args->kind.s)) {
		(void)br_error(cli->dx, args->containers.v[0].at,
			"a container that exists, and another input too");
		br_other(cli->dx,
			args->has_line          ? args->line_at
				: args->files.n ? args->files.v[0].at
						: args->kind.at,
			"the other one");
		return -1;
	}
	if (args->containers.n && args->words.n && args->command->bit != CLI_EXPLAIN) {
		return br_error(cli->dx, args->words.v[0].at,
			"a container that exists has no services: name it by --container");
	}
	bool is_other = args->kind.s && strcmp(args->kind.s, "run-line") != 0;
	if (!args->has_line) {
		return 0;
	}
	if (args->files.n || is_other) {
		(void)br_error(cli->dx, args->line_at, "a run line, and another input too");
		br_other(cli->dx, args->files.n ? args->files.v[0].at : args->kind.at,
			"the other one");
		return -1;
	}
	if (!args->line.n) {
		(void)br_error(cli->dx, args->line_at, "there is no run line behind '--'");
		br_hint(cli->dx,
			"for example: bindright check -- docker run -v ./data:/data IMAGE");
		return -1;
	}
	return 0;
}

static enum br_input_kind kind_of(const struct cli_args *args) {
	if (!args->kind.s || strcmp(args->kind.s, "compose") == 0) {
		return BR_INPUT_COMPOSE;
	}
	return strcmp(args->kind.s, "oci") == 0 ? BR_INPUT_OCI : BR_INPUT_RUN_LINE;
}

/** Absent values become what the rest of the program expects; bad ones are errors. */
static int fill_request(struct session *session, struct br_spec_request *request) {
	const struct cli_args *args = session->cli->args;
	const struct cli_world *world = session->cli->world;
	int version = read_version(&args->compose_version);
	// What is wrong with it is said where the engine's rules are chosen.
	int engine = read_version(&args->engine_version);
	if (version < 0) {
		(void)br_error(session->cli->dx, args->compose_version.at,
			"'%s' is no version of compose", args->compose_version.s);
		br_hint(session->cli->dx, "write it as MAJOR.MINOR: --compose-version 2.26");
		return -1;
	}
	*request = (struct br_spec_request){
		.files = cli_strings(&session->arena, &args->files),
		.services = session->services ? session->services
					      : cli_strings(&session->arena, &args->words),
		// Whoever asks about one service asks about no other.
		.no_deps = session->services || args->no_deps,
		.project_directory = args->project_directory.s,
		.env_files = cli_strings(&session->arena, &args->env_files),
		.files_at = cli_spans(&session->arena, &args->files),
		.services_at = session->services ? session->services_at
						 : cli_spans(&session->arena, &args->words),
		.project_name_at = args->project_name.at,
		.env_files_at = cli_spans(&session->arena, &args->env_files),
		.profiles = cli_strings(&session->arena, &args->profiles),
		.project_name = args->project_name.s,
		.overrides = cli_strings(&session->arena, &args->env),
		.environment = world->environment,
		.home = world->home,
		.cwd = world->cwd,
		.compose_version = (unsigned)version,
		.kind = kind_of(args),
		.kind_said = args->kind.s != NULL,
		.line = args->line.v,
		.nline = args->line.n,
		.engine = args->engine.s ? br_engine_named(args->engine.s) : BR_ENGINE_UNSAID,
		.engine_version = engine > 0 ? (unsigned)engine : 0,
		.uid = world->invoker,
		.gid = world->invoker_gid,
		.user_name = world->invoker_name,
	};
	if (check_line(session->cli)) {
		return -1;
	}
	for (size_t i = 0; i < args->env.n; i++) {
		if (!strchr(args->env.v[i].s, '=') || args->env.v[i].s[0] == '=') {
			(void)br_error(session->cli->dx, args->env.v[i].at,
				"'%s' is not NAME=VALUE", args->env.v[i].s);
			return -1;
		}
	}
	return 0;
}

struct br_text cli_part(struct br_arena *arena, struct br_text word, size_t from, size_t n) {
	struct br_span at = word.at;
	at.off += (uint32_t)from;
	at.len = (uint32_t)n;
	return (struct br_text){br_strndup(arena, word.s + from, n), at};
}

static int read_id(struct session *session, struct br_text word, uint32_t *out) {
	if (!word.s) {
		return br_error_memory(session->cli->dx);
	}
	if (br_parse_u32(word.s, INT32_MAX, out)) {
		(void)br_error(session->cli->dx, word.at, "'%s' is no UID or GID", word.s);
		br_hint(session->cli->dx, "digits only, from 0 to 2147483647");
		return -1;
	}
	return 0;
}

/** SERVICE=UID[:GID]. */
static int read_pin(struct session *session, struct br_text word, struct br_pin *pin) {
	const char *equals = strchr(word.s, '=');
	if (!equals || equals == word.s) {
		(void)br_error(session->cli->dx, word.at, "'%s' is not SERVICE=UID[:GID]", word.s);
		br_hint(session->cli->dx, "for example: --user trainer=1001:1001");
		return -1;
	}
	size_t id = (size_t)(equals - word.s) + 1;
	size_t n = strcspn(word.s + id, ":");
	pin->at = word.at;
	pin->service = cli_part(&session->arena, word, 0, id - 1);
	if (!pin->service.s) {
		return br_error_memory(session->cli->dx);
	}
	if (read_id(session, cli_part(&session->arena, word, id, n), &pin->uid.v)) {
		return -1;
	}
	if (word.s[id + n] == ':') {
		size_t rest = id + n + 1;
		pin->has_gid = true;
		return read_id(session,
			cli_part(&session->arena, word, rest, strlen(word.s + rest)), &pin->gid.v);
	}
	return 0;
}

static int read_pins(struct session *session, struct br_identity_options *options) {
	const struct cli_words *words = &session->cli->args->users;
	struct br_pin *pins = BR_NEW_ARRAY(&session->arena, struct br_pin, words->n);
	if (!pins) {
		return br_error_memory(session->cli->dx);
	}
	for (size_t i = 0; i < words->n; i++) {
		if (read_pin(session, words->v[i], &pins[i])) {
			return -1;
		}
	}
	options->pins = pins;
	options->npins = words->n;
	return 0;
}

/** TARGET=r|rw|rx|rwx. */
static int read_need(struct session *session, struct br_text word, struct br_need_option *need) {
	static const struct {
		const char *word;
		unsigned bits;
	} all[] = {
		{"r", BR_R}, {"rw", BR_R | BR_W}, {"rx", BR_R | BR_X}, {"rwx", BR_R | BR_W | BR_X}};
	const char *equals = strrchr(word.s, '=');
	size_t n = equals ? (size_t)(equals - word.s) : 0;
	for (size_t i = 0; n > 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(equals + 1, all[i].word) == 0) {
			need->bits = all[i].bits;
			need->target = cli_part(&session->arena, word, 0, n);
			return need->target.s ? 0 : br_error_memory(session->cli->dx);
		}
	}
	(void)br_error(session->cli->dx, word.at, "'%s' is not TARGET=r|rw|rx|rwx", word.s);
	br_hint(session->cli->dx, "for example: --need /models=r");
	return -1;
}

static int read_needs(struct session *session, struct br_demand_options *options) {
	const struct cli_words *words = &session->cli->args->needs;
	struct br_need_option *needs =
		BR_NEW_ARRAY(&session->arena, struct br_need_option, words->n);
	if (!needs) {
		return br_error_memory(session->cli->dx);
	}
	for (size_t i = 0; i < words->n; i++) {
		if (read_need(session, words->v[i], &needs[i])) {
			return -1;
		}
	}
	options->needs = needs;
	options->nneeds = words->n;
	return 0;
}

/** A list of IDs under construction. */
struct owners {
	br_hostid *v;
	size_t n, cap;
};

/** A name or a number. */
static int add_owner(struct session *session, struct owners *from, struct br_text word) {
	uint32_t uid;
	if (!word.s) {
		return br_error_memory(session->cli->dx);
	}
	if (br_parse_u32(word.s, BR_NO_ID - 1, &uid)) {
		const struct br_host_user *user =
			cli_find_user(session->cli, session->hostdb, word);
		if (!user) {
			return -1;
		}
		uid = user->uid.v;
	}
	br_hostid owner = {uid};
	return br_vec_push(&session->arena, from, owner) ? br_error_memory(session->cli->dx) : 0;
}

/** --from: names or numbers, commas between them. */
static int read_from(struct session *session) {
	const struct cli_words *words = &session->cli->args->from;
	struct owners from = {0};
	for (size_t i = 0; i < words->n; i++) {
		struct br_text word = words->v[i];
		for (size_t at = 0; at <= strlen(word.s);) {
			size_t n = strcspn(word.s + at, ",");
			if (add_owner(session, &from, cli_part(&session->arena, word, at, n))) {
				return -1;
			}
			at += n + 1;
		}
	}
	session->plan_options.from = from.v;
	session->plan_options.nfrom = from.n;
	return 0;
}

static bool hardlinks_are_protected(void) {
	size_t n;
	char *s = br_read_file(AT_FDCWD, "/proc/sys/fs/protected_hardlinks", 16, &n);
	bool yes = s && s[0] == '1';
	free(s);
	return yes;
}

/** The caller's supplementary groups. */
static int read_groups(struct session *session) {
	gid_t groups[1024];
	int n = getgroups(sizeof(groups) / sizeof(groups[0]), groups);
	size_t count = n > 0 ? (size_t)n : 0;
	br_hostid *out = BR_NEW_ARRAY(&session->arena, br_hostid, count);
	for (size_t i = 0; out && i < count; i++) {
		out[i].v = groups[i];
	}
	session->plan_options.caller_groups = out;
	session->plan_options.ncaller_groups = count;
	return out ? 0 : br_error_memory(session->cli->dx);
}

/** "512M" in bytes. */
static int read_size(const struct cli *cli, struct br_text word, uint64_t *out) {
	static const char units[] = "KMG";
	char digits[16];
	size_t n = word.s ? strspn(word.s, "0123456789") : 0;
	const char *unit = n > 0 && word.s[n] ? strchr(units, word.s[n]) : NULL;
	*out = 0;
	if (!word.s) {
		return 0;
	}
	if (n > 0 && n < sizeof(digits) && (!word.s[n] || (unit && !word.s[n + 1]))) {
		unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
		memcpy(digits, word.s, n);
		digits[n] = '\0';
		if (br_parse_u64(digits, UINT64_MAX >> 32, out) == 0 && *out > 0) {
			*out <<= shift;
			return 0;
		}
	}
	(void)br_error(cli->dx, word.at, "'%s' is no size", word.s);
	br_hint(cli->dx, "a number of bytes, or with a unit (K, M, G): --max-copy-up 512M");
	return -1;
}

static int read_plan_options(struct session *session) {
	static const char *const strategies[] = {"auto", "acl", "chown", "group"};
	const struct cli_args *args = session->cli->args;
	struct br_plan_options *options = &session->plan_options;
	for (unsigned i = 0; args->strategy.s && i < 4; i++) {
		if (strcmp(args->strategy.s, strategies[i]) == 0) {
			options->strategy = (enum br_strategy)i;
		}
	}
	options->create_users = args->create_users;
	options->create_missing = args->create_missing;
	options->future_files = args->future_files == CLI_UNSAID ? 0 : args->future_files ? 1 : -1;
	options->privileged_files = args->privileged_files;
	options->other_mounts = args->other_mounts;
	options->protected_hardlinks = hardlinks_are_protected();
	options->allow_dangerous = cli_strings(&session->arena, &args->allow_dangerous);
	options->excludes = cli_strings(&session->arena, &args->excludes);
	if (read_size(session->cli, args->max_copy_up, &options->max_copy_up)) {
		return -1;
	}
	options->caller = (br_hostid){session->cli->world->euid};
	options->caller_gid = (br_hostid){getegid()};
	if (read_groups(session)) {
		return -1;
	}
	return session_keepers(session) || read_from(session) ? -1 : 0;
}

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
	if (fill_request(session, &session->request) || read_pins(session, &who)) {
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

/** Where something may be changed: what those mount that nobody asked about. 0, or -1 with an error in dx. */
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

int session_read(struct session *session, const struct cli *cli) {
	struct br_demand_options what = {.trusted = cli->world->invoker};
	session->cli = cli;
	if (read_needs(session, &what)) {
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
	what.mode = session->mode;
	if (find_others(session, &what)) {
		return CLI_FAILED;
	}
	session->demands = br_demands_make(session->spec, session->identities, &what, cli->dx);
	return session->demands && read_plan_options(session) == 0 ? 0 : CLI_USAGE;
}

static int read_number(const struct cli *cli, const struct br_text *word, uint32_t max,
	unsigned absent, unsigned *out) {
	uint32_t n;
	*out = absent;
	if (!word->s) {
		return 0;
	}
	if (br_parse_u32(word->s, max, &n)) {
		return br_error(
			cli->dx, word->at, "'%s' is not a number from 0 to %u", word->s, max);
	}
	*out = n;
	return 0;
}

const struct br_habits *session_habits(const struct session *session) {
	return br_habits(session->mode->engine, session->mode->version);
}

/** Who of them runs now; no more than a courtesy, and only where something may be changed. */
static const bool *ask_running(struct session *session) {
	struct br_image_options options = {.socket = session->socket};
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

static int fill_check_options(const struct session *session, struct br_check_options *options) {
	const struct cli *cli = session->cli;
	options->cross = cli->args->cross;
	options->habits = session_habits(session);
	options->rootless = br_engine_is_rootless(session->mode->engine);
	options->fail_fast = cli->args->fail_fast;
	options->excludes = session->plan_options.excludes;
	options->keepers = session->keepers;
	options->only = session->only;
	options->nonly = session->nonly;
	return read_number(cli, &cli->args->depth, 1000000, UINT_MAX, &options->depth)
			|| read_number(cli, &cli->args->jobs, 64, 0, &options->threads)
		? -1
		: 0;
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
	session->plan = br_plan_new(&input, &session->plan_options, session->cli->dx);
	*watch = (struct br_watch){
		.see = br_plan_see,
		.context = session->plan,
		.want = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
		.all = some_keeper_demands(session) || wants_future(session)
			|| session->plan_options.reclaim,
	};
	return session->plan ? 0 : -1;
}

int session_check(struct session *session, bool planned) {
	struct br_check_options options = {0};
	struct br_check_input input = check_input(session);
	if (fill_check_options(session, &options)) {
		return CLI_USAGE;
	}
	options.running = ask_running(session);
	if (planned && start_plan(session, &options.watch)) {
		return CLI_FAILED;
	}
	session->check = br_check_run(&input, &options, session->cli->dx);
	if (!session->check) {
		return CLI_FAILED;
	}
	return planned && br_plan_settle(session->plan, session->cli->dx) ? CLI_FAILED : 0;
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
	// What changes one tree may lie in another one too, and who is made has groups that files were judged without.
	if (changed != 1 || plan->nmakes > 0 || plan->naccounts > 0 || options.fail_fast
		|| options.depth != UINT_MAX) {
		return 0;
	}
	*told = br_told_new(&input, &options, session->cli->dx);
	return *told ? 0 : CLI_FAILED;
}

int session_check_again(struct session *session, const struct br_told *told,
	struct br_demands **demands, struct br_check **again) {
	struct br_check_options options = {0};
	struct br_demand_options what = {.trusted = session->cli->world->invoker};
	struct br_check_input input = check_input(session);
	if (fill_check_options(session, &options) || read_needs(session, &what)) {
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
	*again = br_check_run(&input, &options, session->cli->dx);
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
	br_plan_free(session->plan);
	br_demands_free(session->demands);
	br_acls_free(session->acls);
	br_hostdb_free(session->hostdb);
	br_hostdb_free(session->hostdb_again);
	br_spec_free(session->spec);
	br_arena_release(&session->arena);
}
