// Run a program, and let somebody else act at one of its system calls:
//
//	meddle CALL:N[+] COMMAND PROGRAM [ARGUMENT...]	before its N-th such call (+: after it)
//	meddle CALL:N~ COMMAND PROGRAM [ARGUMENT...]	before it; who works apart waits there until
// PROGRAM has heard the signal that COMMAND sends 	meddle CALL:N ERRNO PROGRAM [ARGUMENT...]
// that call and all later ones fail with this number
//
// It ends as the program does; with 98 where the call never came, 97 where it cannot be traced.

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/trace.h>
#include <sys/wait.h>
#include <unistd.h>

struct meddling {
	long call;
	long at;
	bool after;
	bool held;
	const char *command;
	long seen;
	bool done;
};

static enum trace_choice choose(void *context, const struct trace_stop *stop, int *err) {
	struct meddling *m = context;
	if (stop->call != m->call) {
		return TRACE_GO;
	}
	m->seen += stop->entry;
	if (isdigit((unsigned char)m->command[0])) {
		m->done = m->done || m->seen >= m->at;
		*err = stop->entry && m->done ? atoi(m->command) : 0;
		return *err != 0 ? TRACE_FAIL : TRACE_GO;
	}
	if (!m->done && m->seen == m->at && stop->entry != m->after) {
		m->done = true;
		if (system(m->command) != 0) {
			fprintf(stderr, "meddle: '%s' failed\n", m->command);
			return TRACE_KILL;
		}
		return m->held ? TRACE_HOLD : TRACE_GO;
	}
	return TRACE_GO;
}

int main(int argc, char **argv) {
	char name[32] = "";
	char plus = '\0';
	struct meddling m = {0};
	int status = 0;
	if (argc < 4 || sscanf(argv[1], "%31[a-z0-9_]:%ld%c", name, &m.at, &plus) < 2) {
		fprintf(stderr, "usage: meddle CALL:N[+] COMMAND|ERRNO PROGRAM [ARGUMENT...]\n");
		return 96;
	}
	m.call = trace_call(name);
	m.after = plus == '+';
	m.held = plus == '~';
	m.command = argv[2];
	if (m.call < 0) {
		fprintf(stderr, "meddle: unknown call '%s'\n", name);
		return 96;
	}
	pid_t pid = trace_fork();
	if (pid == 0) {
		execv(argv[3], argv + 3);
		_exit(97);
	}
	if (trace_run(pid, choose, &m, &status) < 0) {
		return 97;
	}
	if (!m.done) {
		fprintf(stderr, "meddle: %s was called %ld times only\n", name, m.seen);
		return 98;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
