/** explain: the whole decision for one path, or a stream of questions. */
#include "session.h"
#include "who.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 1 << 20,
};

/** What is asked, and for whom. */
struct asked {
	const struct cli *cli;
	struct session session;
	struct br_cred cred;
	/** Under `:O`. */
	struct br_cred mounter;
	struct br_explain_query query;
	struct br_explanation explanation;
	struct br_explain_report report;
};

static int usage(const struct cli *cli, struct br_span at, const char *message, const char *hint) {
	(void)br_error(cli->dx, at, "%s", message);
	br_hint(cli->dx, "%s", hint);
	return CLI_USAGE;
}

/** The first of these that the command line has. */
static const struct br_text *first_given(
	const struct cli_words *const lists[], const struct br_text *const words[]) {
	for (size_t i = 0; lists[i]; i++) {
		if (lists[i]->n) {
			return &lists[i]->v[0];
		}
	}
	for (size_t i = 0; words[i]; i++) {
		if (words[i]->s) {
			return words[i];
		}
	}
	return NULL;
}

static const struct br_text *input_option(const struct cli_args *args) {
	const struct cli_words *const lists[] = {&args->files, &args->env_files, &args->profiles,
		&args->env, &args->users, &args->image_archives, NULL};
	const struct br_text *const words[] = {&args->kind, &args->project_directory,
		&args->project_name, &args->compose_version, &args->engine, NULL};
	return args->line.n ? &args->line.v[0] : first_given(lists, words);
}

static const struct br_text *who_option(const struct cli_args *args) {
	const struct cli_words *const lists[] = {&args->caps, &args->uid_map, &args->gid_map, NULL};
	const struct br_text *const words[] = {&args->as, NULL};
	return first_given(lists, words);
}

static int read_need(const struct cli *cli, unsigned *need) {
	const struct cli_words *needs = &cli->args->needs;
	if (needs->n > 1) {
		return usage(cli, needs->v[1].at, "a second --need", "one is enough: --need rw");
	}
	*need = needs->n ? br_parse_need(needs->v[0].s) : 0;
	if (needs->n && !*need) {
		(void)br_error(
			cli->dx, needs->v[0].at, "'%s' is not made of r, w and x", needs->v[0].s);
		br_hint(cli->dx, "for example: --need rw");
		return CLI_USAGE;
	}
	return 0;
}

/* By path: the words say who asks. */

static int ask_path(struct asked *asked, struct br_text path) {
	const struct cli *cli = asked->cli;
	struct br_arena *arena = &asked->session.arena;
	const struct br_text *input = input_option(cli->args);
	if (input) {
		return usage(cli, input->at, "--as says who asks, so there is no input to read",
			"without --as: bindright explain SERVICE:/CONTAINER/PATH");
	}
	asked->session.hostdb =
		br_hostdb_read(cli->args->sysroot.s ? cli->args->sysroot.s : "/", cli->dx);
	if (!asked->session.hostdb || who_read(cli, arena, asked->session.hostdb, &asked->cred)) {
		return CLI_USAGE;
	}
	asked->query.path =
		path.s[0] == '/' ? path.s : br_printf(arena, "%s/%s", cli->world->cwd, path.s);
	asked->query.from = cli->args->walk ? "/" : NULL;
	return asked->query.path ? 0 : (br_error_memory(cli->dx), CLI_FAILED);
}

/* By service: the input says who asks, and where the path is. */

static const struct br_container *find_container(const struct asked *asked, const char *name) {
	const struct br_spec *spec = asked->session.spec;
	for (size_t i = 0; i < spec->n; i++) {
		if (strcmp(spec->containers[i].name.s, name) == 0) {
			return &spec->containers[i];
		}
	}
	return NULL;
}

/** Whether `path` is `dir` or below it; *rest is what comes behind. */
static bool is_below(const char *path, const char *dir, const char **rest) {
	size_t n = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
	if (strncmp(path, dir, n) != 0 || (path[n] != '\0' && path[n] != '/')) {
		return false;
	}
	*rest = path + n + (path[n] == '/');
	return true;
}

/** The innermost mount that holds the path. */
static const struct br_mount *find_mount(
	const struct br_container *container, const char *path, const char **rest) {
	const struct br_mount *best = NULL;
	for (size_t i = 0; i < container->nmounts; i++) {
		const struct br_mount *mount = &container->mounts[i];
		const char *here;
		bool holds = mount->target.s && is_below(path, mount->target.s, &here);
		if (holds && (!best || strlen(mount->target.s) >= strlen(best->target.s))) {
			best = mount;
			*rest = here;
		}
	}
	return best;
}

static int no_mount(
	struct asked *asked, const struct br_container *container, struct br_text path) {
	struct br_buf targets = {0};
	(void)br_error(
		asked->cli->dx, path.at, "no mount of '%s' holds '%s'", container->name.s, path.s);
	for (size_t i = 0; i < container->nmounts; i++) {
		const char *target = container->mounts[i].target.s;
		br_buf_addf(&targets, "%s%s", i ? ", " : "", target ? target : "?");
	}
	if (targets.n && !targets.failed) {
		br_hint(asked->cli->dx, "it mounts: %s", targets.s);
	}
	br_buf_release(&targets);
	return CLI_USAGE;
}

static const struct br_mount_source *find_source(
	const struct asked *asked, const struct br_mount *mount) {
	const struct br_demands *demands = asked->session.demands;
	size_t i = 0;
	while (demands->mounts[i].mount != mount) {
		i++;
	}
	return &demands->mounts[i];
}

/** Whether it is known who that is: 0, or the exit status with an error in dx. */
static int be_somebody(const struct asked *asked, const struct br_container *container,
	const struct br_identity *identity) {
	struct br_span at = container->user.s ? container->user.at : container->name.at;
	if (identity->confidence == BR_UNKNOWN) {
		(void)br_error(asked->cli->dx, at, "who '%s' runs as cannot be worked out: %s",
			container->name.s, identity->why);
		if (identity->pin) {
			br_hint(asked->cli->dx, "pin it: %s", identity->pin);
		}
		return CLI_USAGE;
	}
	if (identity->unmapped) {
		(void)br_error(asked->cli->dx, at,
			"uid %u or gid %u of '%s' has no mapping in its user namespace",
			identity->uid.v, identity->gid.v, container->name.s);
		return CLI_USAGE;
	}
	return 0;
}

static int ask_mount(
	struct asked *asked, const struct br_container *container, struct br_text path) {
	const struct br_spec *spec = asked->session.spec;
	const struct br_identity *first = &asked->session.identities[container - spec->containers];
	const char *rest = "";
	const struct br_mount *mount = find_mount(container, path.s, &rest);
	if (!mount) {
		return no_mount(asked, container, path);
	}
	if (!br_mount_on_host(mount)) {
		return usage(asked->cli, path.at, "this path is in a volume that the engine keeps",
			"only bind mounts, secrets and configs can be explained");
	}
	const struct br_identity *identity = br_identity_of_data(first, !mount->read_only);
	if (identity != first) {
		br_note(asked->cli->dx, container->name.at,
			"'%s' starts as root; this is about the user that it drops to",
			container->name.s);
	}
	int status = be_somebody(asked, container, identity);
	if (status) {
		return status;
	}
	status = session_check_start(&asked->session);
	if (status) {
		return status;
	}
	if (br_explain_start(&asked->session.arena, asked->session.check, mount, &asked->query)) {
		return (br_error_memory(asked->cli->dx), CLI_FAILED);
	}
	identity = br_identity_on_mount(identity, mount);
	asked->cred = identity->cred;
	const struct br_mount_source *ms = find_source(asked, mount);
	const struct br_demand *demand = ms->demand;
	enum br_submounts submounts = session_submounts(&asked->session, ms);
	if (identity->id_mapped) {
		asked->query.mount_uids = identity->cred.uids;
		asked->query.mount_gids = identity->cred.gids;
	} else if (demand) {
		asked->query.mount_uids = demand->mount_uids;
		asked->query.mount_gids = demand->mount_gids;
	}
	asked->query.from = mount->source.s;
	asked->query.path = br_printf(&asked->session.arena, "%s%s%s", mount->source.s,
		*rest && strcmp(mount->source.s, "/") != 0 ? "/" : "", rest);
	asked->query.read_only |= mount->read_only;
	asked->query.foresees = !mount->overlay;
	asked->query.overlay =
		mount->overlay && session_mounter(&asked->session, ms, &asked->mounter)
		? &asked->mounter
		: NULL;
	asked->query.chown = mount->chown;
	asked->query.mode = asked->session.mode;
	asked->query.writable_below = submounts == BR_SUBMOUNTS_WRITABLE;
	asked->query.hides_below = submounts == BR_SUBMOUNTS_HIDDEN;
	asked->report.identity = identity;
	asked->report.mount = mount;
	asked->report.container_path = path.s;
	return asked->query.path ? 0 : (br_error_memory(asked->cli->dx), CLI_FAILED);
}

static int ask_service(struct asked *asked, struct br_text word, size_t colon) {
	const struct cli *cli = asked->cli;
	struct br_arena *arena = &asked->session.arena;
	const struct br_text *who = who_option(cli->args);
	struct br_text service = cli_part(arena, word, 0, colon);
	struct br_text path = cli_part(arena, word, colon + 1, strlen(word.s + colon + 1));
	const char **services = BR_NEW_ARRAY(arena, const char *, 2);
	struct br_span *at = BR_NEW(arena, struct br_span);
	if (!service.s || !path.s || !services || !at) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	if (who || cli->args->walk) {
		return usage(cli, who ? who->at : word.at,
			"the service says who asks, and where the way begins",
			"for a host path: bindright explain PATH --as WHO");
	}
	services[0] = service.s;
	*at = service.at;
	asked->session.services = services;
	asked->session.services_at = at;
	int status = session_understand(&asked->session, cli);
	if (status) {
		return status;
	}
	const struct br_container *container = find_container(asked, service.s);
	if (!container) {
		(void)br_error(cli->dx, service.at, "no service '%s' is going to run", service.s);
		return CLI_USAGE;
	}
	return ask_mount(asked, container, path);
}

static int answer(struct asked *asked) {
	const struct cli *cli = asked->cli;
	struct br_report_style style = cli_style(cli);
	size_t n;
	if (!asked->session.acls) {
		asked->session.acls = br_acls_new();
	}
	if (!asked->session.acls) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	asked->query.hostdb = asked->session.hostdb;
	if (br_explain(&asked->session.arena, &asked->query, asked->session.acls,
		    &asked->explanation, cli->dx)) {
		return CLI_USAGE;
	}
	asked->report.explanation = &asked->explanation;
	asked->report.places = br_diags_places(cli->dx);
	br_auto(br_freep) char *bytes = br_report_explain(&asked->report, &style, &n);
	if (!bytes) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	if (cli_write(cli, bytes, n)) {
		return CLI_FAILED;
	}
	return asked->query.need && !asked->explanation.granted ? CLI_MISFIT : CLI_FITS;
}

static int ask(struct asked *asked, struct br_text word) {
	const char *colon = strstr(word.s, ":/");
	if (!*word.s) {
		return usage(asked->cli, word.at, "the path is empty",
			"bindright explain PATH --as WHO");
	}
	if (asked->cli->args->as.s) {
		return ask_path(asked, word);
	}
	if (colon && colon != word.s) {
		return ask_service(asked, word, (size_t)(colon - word.s));
	}
	return usage(asked->cli, word.at, "nobody is named who asks for this path",
		"bindright explain PATH --as UID:GID, or bindright explain SERVICE:/CONTAINER/PATH");
}

static int explain(const struct cli *cli) {
	const struct cli_words *words = &cli->args->words;
	struct asked asked = {.cli = cli, .query = {.cred = &asked.cred, .asks = true}};
	if (words->n != 1) {
		return usage(cli, words->n ? words->v[1].at : (struct br_span){0},
			words->n ? "explain takes one path" : "explain needs a path",
			"bindright explain PATH --as UID:GID, or bindright explain "
			"SERVICE:/CONTAINER/PATH");
	}
	int status = read_need(cli, &asked.query.need);
	asked.query.at = words->v[0].at;
	asked.query.read_only = cli->args->read_only;
	if (status == 0) {
		status = ask(&asked, words->v[0]);
	}
	if (status == 0) {
		status = answer(&asked);
	}
	session_release(&asked.session);
	return status;
}

/* Batch: what has been read is answered before more is waited for, so that a program can ask and
 * wait. */

struct stream {
	const struct cli *cli;
	struct br_batch *batch;
	char *in;
	/** Bytes of it that are there. */
	size_t n;
	struct br_buf out;
	/** The line is too long: it was answered, the rest of it is passed over. */
	bool skipping;
};

static int out_of_memory(const struct cli *cli) {
	(void)br_error_memory(cli->dx);
	return CLI_FAILED;
}

static int answer_line(struct stream *stream, const char *line, size_t n) {
	size_t len;
	const char *text = br_batch_answer(stream->batch, line, n, &len);
	if (!text) {
		return out_of_memory(stream->cli);
	}
	br_buf_addn(&stream->out, text, len);
	return 0;
}

static int answer_lines(struct stream *stream) {
	char *at = stream->in;
	char *end = stream->in + stream->n;
	for (char *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		int status = stream->skipping ? 0 : answer_line(stream, at, (size_t)(newline - at));
		stream->skipping = false;
		if (status) {
			return status;
		}
	}
	stream->n = (size_t)(end - at);
	memmove(stream->in, at, stream->n);
	if (stream->n == LINE_MAX_BYTES) {
		if (!stream->skipping) {
			br_buf_add(&stream->out, "{\"error\": \"the line is too long\"}\n");
		}
		stream->skipping = true;
		stream->n = 0;
	}
	return 0;
}

static int flush(struct stream *stream) {
	if (stream->out.failed) {
		return out_of_memory(stream->cli);
	}
	if (stream->out.n && br_write_all(STDOUT_FILENO, stream->out.s, stream->out.n)) {
		(void)br_error(stream->cli->dx, (struct br_span){0}, "cannot write the answers: %s",
			strerror(errno));
		return CLI_FAILED;
	}
	stream->out.n = 0;
	return 0;
}

static int finish(struct stream *stream) {
	// A last line may lack its newline.
	int status =
		stream->n && !stream->skipping ? answer_line(stream, stream->in, stream->n) : 0;
	return status ? status : flush(stream);
}

static int answer_all(struct stream *stream) {
	for (;;) {
		ssize_t got =
			read(STDIN_FILENO, stream->in + stream->n, LINE_MAX_BYTES - stream->n);
		if (got < 0 && errno == EINTR && !*stream->cli->world->stop) {
			continue;
		}
		if (got < 0) {
			(void)br_error(stream->cli->dx, (struct br_span){0},
				"cannot read the queries: %s", strerror(errno));
			return CLI_FAILED;
		}
		if (got == 0) {
			return finish(stream);
		}
		stream->n += (size_t)got;
		int status = answer_lines(stream);
		status = status ? status : flush(stream);
		if (status) {
			return status;
		}
	}
}

static int run_batch(const struct cli *cli) {
	const struct cli_args *args = cli->args;
	const struct br_text *input = input_option(args);
	const struct br_text *other = input ? input
		: args->words.n             ? &args->words.v[0]
		: args->needs.n             ? &args->needs.v[0]
		: args->output.s            ? &args->output
					    : who_option(args);
	if (other || args->walk || args->read_only) {
		return usage(cli, other ? other->at : (struct br_span){0},
			"with --batch everything stands in the queries on standard input",
			"{\"path\": \"/srv\", \"uid\": 1001, \"gid\": 1001, \"need\": \"rw\"}");
	}
	struct stream stream = {.cli = cli, .batch = br_batch_new(), .in = malloc(LINE_MAX_BYTES)};
	int status = stream.batch && stream.in ? answer_all(&stream) : out_of_memory(cli);
	br_batch_free(stream.batch);
	free(stream.in);
	br_buf_release(&stream.out);
	return status;
}

static int run_explain(const struct cli *cli) {
	return cli->args->batch ? run_batch(cli) : explain(cli);
}

static const char *const details[] = {
	"The whole decision for one path: each step on a line, the rule that decided in brackets,",
	"and what would make it a yes, on either side. Changes nothing.",
	"",
	"  bindright explain PATH --as WHO",
	"      WHO: UID[:GID][,+GROUP...], or a host user's name. A UID alone is in group 0, as",
	"      Docker has it. Numbers have no capabilities but those of --caps.",
	"  bindright explain SERVICE:/CONTAINER/PATH",
	"      Who asks and where the path is on the host come from the compose file.",
	"  bindright explain --batch",
	"      A query a line, {\"path\": ..., \"uid\": ..., \"gid\": ..., \"groups\": [], \"need\": \"rw\",",
	"      \"capabilities\": [], \"uid_map\": [[0, 100000, 65536]], \"read_only\": false}; an answer a",
	"      line, in the same order.",
	"",
	"Exit status: 0; with --need: 0 for a yes, 1 for a no.",
	NULL,
};

const struct cli_command cmd_explain = {
	.name = "explain",
	.bit = CLI_EXPLAIN,
	.arguments = "PATH | SERVICE:CONTAINER-PATH",
	.summary = "show the whole decision for one path, step by step",
	.details = details,
	.run = run_explain,
};
