/** What cli/ alone may do: write, ask, know the terminal. */
#include "cli.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

const char *cli_getenv(const struct cli_world *world, const char *name) {
	size_t n = strlen(name);
	for (size_t i = 0; world->environment[i]; i++) {
		if (strncmp(world->environment[i], name, n) == 0
			&& world->environment[i][n] == '=') {
			return world->environment[i] + n + 1;
		}
	}
	return NULL;
}

const char *const *cli_strings(struct br_arena *arena, const struct cli_words *words) {
	errno = 0;
	if (words->n == 0) {
		return NULL;
	}
	const char **out = BR_NEW_ARRAY(arena, const char *, words->n + 1);
	for (size_t i = 0; out && i < words->n; i++) {
		out[i] = words->v[i].s;
	}
	return out;
}

const struct br_span *cli_spans(struct br_arena *arena, const struct cli_words *words) {
	struct br_span *out = words->n ? BR_NEW_ARRAY(arena, struct br_span, words->n) : NULL;
	for (size_t i = 0; out && i < words->n; i++) {
		out[i] = words->v[i].at;
	}
	return out;
}

bool cli_color(const struct cli *cli, int fd) {
	const char *when = cli->args ? cli->args->color.s : NULL;
	const char *no_color = cli_getenv(cli->world, "NO_COLOR");
	const char *term = cli_getenv(cli->world, "TERM");
	if (when && strcmp(when, "auto") != 0) {
		return strcmp(when, "always") == 0;
	}
	if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0) {
		return false;
	}
	return isatty(fd);
}

static unsigned terminal_columns(void) {
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
		return size.ws_col;
	}
	return 80;
}

static enum br_format find_format(const char *word) {
	static const char *const names[] = {"text", "json", "ndjson", "sarif", "github"};
	for (unsigned i = 0; word && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) == 0) {
			return (enum br_format)i;
		}
	}
	return BR_FORMAT_TEXT;
}

struct br_report_style cli_style(const struct cli *cli) {
	return (struct br_report_style){
		.format = find_format(cli->args->format.s),
		.color = !cli->args->output.s && cli_color(cli, STDOUT_FILENO),
		.verbosity = cli->args->verbose - cli->args->quiet,
		.columns = terminal_columns(),
	};
}

int cli_lost(const struct cli *cli) {
	(void)br_error(cli->dx, (struct br_span){0}, "cannot write to standard output: %s",
		strerror(errno));
	return CLI_FAILED;
}

/** A device, a pipe, or a link that leads to nothing yet. */
static int open_special(const char *path, uid_t trusted, int flags) {
	struct stat st;
	if (lstat(path, &st)) {
		return -1;
	}
	if (S_ISLNK(st.st_mode) && st.st_uid != 0 && st.st_uid != trusted) {
		errno = BR_EFOREIGN;
		return -1;
	}
	return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0666);
}

static int create_output(const char *path, uid_t trusted) {
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	br_auto(br_closep) int dir =
		parent ? br_open_input(parent, O_RDONLY | O_DIRECTORY, trusted) : -1;
	free(parent);
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	int fd = dir < 0 ? -1 : openat(dir, name, flags, 0666);
	return fd < 0 && errno == EEXIST ? open_special(path, trusted, O_CREAT) : fd;
}

/**
 * As root it leads through nobody's link to what its owner could not write himself: a report lies
 * in a project's directory often enough, and that is somebody else's.
 */
static int open_output(const struct cli *cli, const char *path) {
	uid_t trusted = cli->world->invoker;
	if (cli->world->euid != 0) {
		return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	}
	br_auto(br_closep) int fd = br_open_input(path, O_WRONLY, trusted);
	if (fd < 0 && errno == ENOENT) {
		return create_output(path, trusted);
	}
	if (fd < 0 && errno == EINVAL) {
		return open_special(path, trusted, 0);
	}
	return fd < 0 || ftruncate(fd, 0) ? -1 : br_steal_fd(&fd);
}

int cli_write(const struct cli *cli, const char *bytes, size_t n) {
	const struct br_text *output = &cli->args->output;
	if (!output->s || strcmp(output->s, "-") == 0) {
		return br_write_all(STDOUT_FILENO, bytes, n) ? br_error(cli->dx,
			       (struct br_span){0}, "cannot write the report: %s", strerror(errno))
							     : 0;
	}
	br_auto(br_closep) int fd = open_output(cli, output->s);
	if (fd < 0) {
		return br_error(cli->dx, output->at, "cannot write '%s': %s", output->s,
			errno == BR_EFOREIGN ? "a symbolic link on the way belongs to a user who "
					       "may not write what it leads to"
					     : strerror(errno));
	}
	int failed = br_write_all(fd, bytes, n);
	// A full disk may only be told when the file is closed.
	if (failed || close(br_steal_fd(&fd))) {
		return br_error(
			cli->dx, output->at, "cannot write '%s': %s", output->s, strerror(errno));
	}
	return 0;
}

static void tell_progress(uint64_t n, const char *what) {
	(void)fprintf(stderr, "\r%llu %s", (unsigned long long)n, what);
	(void)fflush(stderr);
}

static void looked(void *context, uint64_t n) {
	(void)context;
	tell_progress(n, "looked at");
}

static void changed(void *context, uint64_t n) {
	(void)context;
	tell_progress(n, "changed");
}

static void put_back(void *context, uint64_t n) {
	(void)context;
	tell_progress(n, "put back");
}

static bool wants_progress(const struct cli *cli) {
	const char *when = cli->args->progress.s;
	if (when && strcmp(when, "auto") != 0) {
		return strcmp(when, "always") == 0;
	}
	return isatty(STDERR_FILENO) && !cli->args->quiet;
}

cli_progress *cli_looked(const struct cli *cli) {
	return wants_progress(cli) ? looked : NULL;
}

cli_progress *cli_changed(const struct cli *cli) {
	return wants_progress(cli) ? changed : NULL;
}

cli_progress *cli_put_back(const struct cli *cli) {
	return wants_progress(cli) ? put_back : NULL;
}

void cli_progress_ends(cli_progress *progress) {
	if (progress) {
		(void)fputs("\r\033[K", stderr);
	}
}

int cli_ask(const char *question) {
	char line[16];
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		return -1;
	}
	(void)fputs(question, stderr);
	(void)fflush(stderr);
	if (!fgets(line, sizeof(line), stdin)) {
		(void)fputc('\n', stderr);
		return 0;
	}
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
}
