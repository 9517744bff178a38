/** What the words of the command line ask for, as the library's requests and options. */
#include "session.h"

#include <base/file.h>
#include <base/text.h>

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
		(void)br_error(
			cli->dx, args->containers.v[0].at, "--container goes with no other input");
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
		(void)br_error(cli->dx, args->line_at, "a run line goes with no other input");
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

int words_request(struct session *session, struct br_spec_request *request) {
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

int words_pins(struct session *session, struct br_identity_options *options) {
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

int words_needs(struct session *session, struct br_demand_options *options) {
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

// The paths of --allow-dangerous, absolute and clean as sources are. 0, or -1 with an error.
static int read_allowed(struct session *session) {
	const struct cli_words *words = &session->cli->args->allow_dangerous;
	const char **out = BR_NEW_ARRAY(&session->arena, const char *, words->n + 1);
	for (size_t i = 0; out && i < words->n; i++) {
		const char *word = words->v[i].s;
		char *path = *word == '/'
			? br_strdup(&session->arena, word)
			: br_printf(&session->arena, "%s/%s", session->cli->world->cwd, word);
		if (!path) {
			return br_error_memory(session->cli->dx);
		}
		br_path_clean(path);
		out[i] = path;
	}
	session->plan_options.allow_dangerous = out;
	return out ? 0 : br_error_memory(session->cli->dx);
}

int words_plan(struct session *session) {
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
	options->excludes = cli_strings(&session->arena, &args->excludes);
	options->cross = args->cross;
	if (read_size(session->cli, args->max_copy_up, &options->max_copy_up)) {
		return -1;
	}
	options->caller = (br_hostid){session->cli->world->euid};
	options->caller_gid = (br_hostid){getegid()};
	if (read_groups(session) || read_allowed(session)) {
		return -1;
	}
	return session_keepers(session) || read_from(session) ? -1 : 0;
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

int words_check(const struct session *session, struct br_check_options *options) {
	const struct cli_args *args = session->cli->args;
	options->cross = args->cross;
	options->fail_fast = args->fail_fast;
	return read_number(session->cli, &args->depth, 1000000, UINT_MAX, &options->depth)
			|| read_number(session->cli, &args->jobs, 64, 0, &options->threads)
		? -1
		: 0;
}
