/**
 * bindright: make bind mounts fit the container that will use them.
 *
 * The map of the program, from the words at the top to the system calls at the bottom:
 *
 *   words of the user       cli/    options, help, one file a command; session.c is the pipeline
 *   texts and places        diag/   messages that point at characters
 *                           doc/    YAML and JSON as nodes with places
 *   what is going to run    spec/   the readers of compose files, run lines and bundles
 *   whom the image runs as  image/  Dockerfiles, image archives, the engine, well-known images
 *   which engine it is      engine.c   what engines and their versions do
 *   who it will be          identity/  user, groups, capabilities, user namespaces; the host's
 * accounts idmap.c    the container's IDs and the host's what the host has       source/  each bind
 * source inode/   the facts of one inode who needs what          demand.c   mounts brought together
 * by the place that they reach habits.c   what each engine makes of a mount the facts below scan/
 * several threads fetch, one decides what does not fit       access.c   the kernel's decision
 *                           access_create.c   what the kernel makes new things like
 *                           server.c   what a network file system's server says to that
 *                           check/     the findings
 *   one path in full        explain/   each step, and what would make it a yes
 *   the least change        plan/   and who gains or loses by it
 *   making it true          apply/  journal, commit, undo, accounts
 *   telling it              report/ text and JSON
 *
 * base/ is below all of them. Only this folder prints and exits.
 */
#include "cli.h"

#include <base/filter.h>
#include <base/own.h>
#include <base/sys.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DESCRIPTORS_ENOUGH = 65536,
};

static volatile sig_atomic_t stop;

static void on_signal(int number) {
	(void)number;
	stop = 1;
}

void cli_catch_signals(void) {
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	// Asked once, it stops in order; the second time it is ended, which the journal bears as
	// well.
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;
		// What the caller ignores (nohup) stays ignored.
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
			(void)sigaction(numbers[i], &action, NULL);
		}
	}
}

/** What cannot be written is told by errno, and the end of a child by wait(), whatever the caller
 * does with these. */
static void take_signals(void) {
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
}

/** Each source takes a few descriptors. */
static void take_descriptors(void) {
	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < DESCRIPTORS_ENOUGH) {
		most.rlim_cur =
			most.rlim_max < DESCRIPTORS_ENOUGH ? most.rlim_max : DESCRIPTORS_ENOUGH;
		(void)setrlimit(RLIMIT_NOFILE, &most); // Else there are what there are.
	}
}

/** Standard descriptors exist, others are not inherited by helpers, nothing of us is dumped. */
static int harden(void) {
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
			return -1;
		}
	}
	(void)br_sys_close_from(3, true);
	take_descriptors();
	struct rlimit none = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &none);
	// Nor may another process of the same user look into this one; the leak sanitizer has to.
	if (!BR_IS_SANITIZED) {
		(void)prctl(PR_SET_DUMPABLE, 0);
	}
	(void)umask(077);
	return 0;
}

/** The caller's environment, copied (with room for one more), and then none but a locale. */
static const char **take_environment(struct br_arena *arena) {
	size_t n = 0;
	while (environ && environ[n]) {
		n++;
	}
	const char **out = BR_NEW_ARRAY(arena, const char *, n + 2);
	for (size_t i = 0; out && i < n; i++) {
		out[i] = br_strdup(arena, environ[i]);
		if (!out[i]) {
			return NULL;
		}
	}
	if (!out || clearenv() || setenv("LC_ALL", "C.UTF-8", 1)) {
		return NULL;
	}
	(void)setlocale(LC_ALL, "");
	return out;
}

/** SUDO_UID counts only where we really are root: as a hint who asked, never as a permission. */
static uid_t find_invoker(const struct cli_world *world) {
	const char *sudo = world->euid == 0 ? cli_getenv(world, "SUDO_UID") : NULL;
	uint32_t uid;
	bool known = sudo && br_parse_u32(sudo, BR_NO_ID - 1, &uid) == 0;
	return known ? uid : world->euid;
}

/** Under sudo HOME is root's or anybody's, while that of the compose file is the user's who wrote
 * it: ~ and ${HOME}. */
static int put_home(struct br_arena *arena, const char **environment, const char *home) {
	size_t i = 0;
	while (environment[i] && strncmp(environment[i], "HOME=", 5) != 0) {
		i++;
	}
	environment[i] = br_printf(arena, "HOME=%s", home);
	return environment[i] ? 0 : -1;
}

static int learn_world(struct br_arena *arena, struct cli_world *world) {
	char buf[4096];
	const char **environment = take_environment(arena);
	world->stop = &stop;
	world->euid = geteuid();
	world->environment = environment;
	if (!environment) {
		return -1;
	}
	world->invoker = find_invoker(world);
	const struct passwd *pw = getpwuid(world->invoker);
	world->invoker_gid = world->invoker == world->euid ? getegid() : pw ? pw->pw_gid : 0;
	const char *pw_home = pw ? pw->pw_dir : NULL;
	world->invoker_name =
		pw ? br_strdup(arena, pw->pw_name) : br_printf(arena, "%u", world->invoker);
	bool other = world->invoker != world->euid;
	if (other && pw_home && put_home(arena, environment, pw_home)) {
		return -1;
	}
	// Without HOME compose leaves ~ as it is.
	const char *home = other ? pw_home : cli_getenv(world, "HOME");
	world->home = home ? br_strdup(arena, home) : NULL;
	world->cwd = getcwd(buf, sizeof(buf)) ? br_strdup(arena, buf) : "/";
	return world->invoker_name && world->cwd ? 0 : -1;
}

static void print_diags(const struct br_diags *dx, const struct cli *cli) {
	const struct cli_args *args = cli->args;
	// In a report for programs they are findings.
	bool json = args->format.s && strcmp(args->format.s, "text") != 0;
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		bool shown = diag->severity == BR_ERROR || args->quiet == 0;
		if (!shown || (json && diag->code)) {
			continue;
		}
		char *text = br_diag_render(
			br_diags_places(dx), diag, "bindright", cli_color(cli, STDERR_FILENO));
		(void)fputs(text ? text : "bindright: error: out of memory\n", stderr);
		free(text);
	}
}

static int say_version(void) {
	bool failed = printf("bindright %s\n", BR_VERSION) < 0 || fflush(stdout);
	return failed ? CLI_FAILED : CLI_FITS;
}

/** Whoever reads annotations has none of an input that is not valid, and no report: what is wrong in
 * which line stands where a report would. `status`: of a run that ended so; the new one. */
static int annotate(const struct cli *cli, int status) {
	size_t n;
	if (cli_style(cli).format != BR_FORMAT_GITHUB) {
		return status;
	}
	char *bytes = br_report_errors(cli->dx, &n);
	if (!bytes) {
		(void)br_error_memory(cli->dx);
	} else if (n > 0 && cli_write(cli, bytes, n)) {
		status = CLI_FAILED;
	}
	free(bytes);
	return status;
}

static int dispatch(const struct cli *cli) {
	const struct cli_args *args = cli->args;
	if (args->want_version || args->want_help) {
		int status = args->want_version ? say_version() : cli_help(args->command);
		return status ? cli_lost(cli) : CLI_FITS;
	}
	return args->command ? args->command->run(cli) : cmd_check.run(cli);
}

static int run(int argc, char *const *argv, const struct cli_world *world) {
	struct cli_args args = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	struct cli cli = {.args = &args, .world = world, .dx = dx};
	int status = CLI_FAILED;
	if (dx) {
		status = cli_parse(argc, argv, &args, dx) ? CLI_USAGE : dispatch(&cli);
		status = status == CLI_USAGE ? annotate(&cli, status) : status;
		print_diags(dx, &cli);
	} else {
		(void)fputs("bindright: error: out of memory\n", stderr);
	}
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&args.arena);
	return status;
}

int main(int argc, char **argv) {
	if (getauxval(AT_SECURE)) {
		(void)fputs("bindright: error: must not be installed setuid\n", stderr);
		return CLI_FAILED;
	}
	int first = argc > 0;
	int status = CLI_FAILED;
	if (argc > 0 && cli_is_plugin(argv[0])) {
		if (cli_plugin_answers(argc, argv, &status)) {
			return status;
		}
		first = cli_plugin_start(argc, argv);
	}
	if (argc == 2 && strcmp(argv[1], "--list-options") == 0) {
		return cli_list_options();
	}
	if (argc == 2 && strcmp(argv[1], "--list-codes") == 0) {
		return cli_list_codes();
	}
	struct br_arena arena = {0};
	struct cli_world world = {0};
	if (first < 0 || harden() || learn_world(&arena, &world)) {
		(void)fputs(
			"bindright: error: cannot start: out of memory or descriptors\n", stderr);
		return CLI_FAILED;
	}
	// What only reads may be ended at any time; what writes says so (cli_catch_signals).
	take_signals();
	status = run(argc - first, argv + first, &world);
	br_arena_release(&arena);
	return status;
}
