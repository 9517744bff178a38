/** codes: the finding codes, and a page for each. */
#include "cli.h"

#include <base/own.h>
#include <base/text.h>
#include <doc/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *severity_name(enum br_severity severity) {
	return severity == BR_ERROR ? "error" : severity == BR_WARNING ? "warning" : "info";
}

/** Paragraphs of our own words, wrapped to 80 columns. */
static void add_paragraph(struct br_buf *buf, const char *words) {
	size_t used = 0;
	for (const char *at = words; *at;) {
		size_t n = strcspn(at, " ");
		if (used && used + 1 + n > 76) {
			br_buf_add(buf, "\n");
			used = 0;
		} else if (used) {
			br_buf_add(buf, " ");
			used++;
		}
		br_buf_addn(buf, at, n);
		used += n;
		at += n + (at[n] == ' ');
	}
	br_buf_add(buf, "\n");
}

static void add_indented(struct br_buf *buf, const char *lines) {
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		br_buf_add(buf, "    ");
		br_buf_addn(buf, lines, n);
		br_buf_add(buf, "\n");
		lines += n + (lines[n] == '\n');
	}
}

/** A script for an empty directory, as root. */
static void add_example(struct br_buf *buf, const struct br_code_page *page, bool markdown) {
	if (!page->setup) {
		br_buf_add(buf, "\nThis version reads no input that leads to it.\n");
		return;
	}
	br_buf_add(buf,
		markdown ? "\nFor example:\n\n"
			 : "\nExample (in an empty directory, as root):\n\n");
	add_indented(buf, page->setup);
	br_buf_add(buf, "    cat >compose.yaml <<'END'\n    services:\n");
	add_indented(buf, page->compose);
	br_buf_add(buf, "    END\n    bindright check\n");
}

static void add_page(struct br_buf *buf, const struct br_code_info *info, bool markdown) {
	const struct br_code_page *page = br_code_page(info->code);
	br_buf_addf(
		buf, markdown ? "## BR%03u: %s\n\n" : "BR%03u: %s\n\n", info->code, info->title);
	br_buf_addf(buf, markdown ? "Severity: %s.\n\n" : "Severity: %s\n\n",
		severity_name(info->severity));
	add_paragraph(buf, page->meaning);
	add_example(buf, page, markdown);
	br_buf_add(buf, "\nHow to fix it:\n\n");
	add_paragraph(buf, page->fix);
}

static void add_list(struct br_buf *buf) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	for (size_t i = 0; i < n; i++) {
		br_buf_addf(buf, "BR%03u  %-7s  %s\n", codes[i].code,
			severity_name(codes[i].severity), codes[i].title);
	}
	br_buf_add(buf, "\nbindright codes CODE says more about one.\n");
}

static void json_code(struct br_json *json, const struct br_code_info *info) {
	const struct br_code_page *page = br_code_page(info->code);
	char name[16];
	(void)snprintf(name, sizeof(name), "BR%03u", info->code);
	br_json_object(json, NULL);
	br_json_string(json, "code", name);
	br_json_string(json, "severity", severity_name(info->severity));
	br_json_string(json, "title", info->title);
	br_json_string(json, "meaning", page->meaning);
	br_json_string(json, "setup", page->setup);
	br_json_string(json, "compose", page->setup ? page->compose : NULL);
	br_json_string(json, "fix", page->fix);
	br_json_end(json);
}

static char *make_json(const struct br_code_info *only, size_t *len) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	br_json_string(json, "schema", "bindright.codes/1");
	br_json_array(json, "codes");
	for (size_t i = 0; i < n; i++) {
		if (!only || only == &codes[i]) {
			json_code(json, &codes[i]);
		}
	}
	br_json_end(json);
	return br_json_take(json, false, len);
}

static char *make_text(const struct br_code_info *only, size_t *len) {
	struct br_buf buf = {0};
	if (only) {
		add_page(&buf, only, false);
	} else {
		add_list(&buf);
	}
	*len = buf.n;
	return br_buf_take(&buf);
}

int cli_list_codes(void) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	struct br_buf buf = {0};
	br_buf_add(&buf,
		"# Finding codes\n\nA code never changes its meaning. `bindright codes CODE` shows a "
		"page of this.\nEvery example is a script for an empty directory, as root; the tests "
		"run it.\n");
	for (size_t i = 0; i < n; i++) {
		br_buf_add(&buf, "\n");
		add_page(&buf, &codes[i], true);
	}
	int status =
		buf.failed || fputs(buf.s, stdout) < 0 || fflush(stdout) ? CLI_FAILED : CLI_FITS;
	br_buf_release(&buf);
	return status;
}

/** "BR101", "br101" or "101". */
static const struct br_code_info *find_code(const char *word) {
	const char *digits =
		strncmp(word, "BR", 2) == 0 || strncmp(word, "br", 2) == 0 ? word + 2 : word;
	uint32_t number;
	digits += strlen(digits) == 3 ? strspn(digits, "0") : 0;
	return br_parse_u32(digits, 999, &number) ? NULL : br_code_find(number);
}

static int run_codes(const struct cli *cli) {
	const struct cli_words *words = &cli->args->words;
	const struct br_code_info *only = words->n ? find_code(words->v[0].s) : NULL;
	size_t n;
	if (words->n > 1) {
		(void)br_error(cli->dx, words->v[1].at, "codes takes one code at most");
		return CLI_USAGE;
	}
	if (words->n && !only) {
		(void)br_error(
			cli->dx, words->v[0].at, "there is no finding code '%s'", words->v[0].s);
		br_hint(cli->dx, "bindright codes lists them");
		return CLI_USAGE;
	}
	br_auto(br_freep) char *bytes =
		cli_style(cli).format == BR_FORMAT_JSON ? make_json(only, &n) : make_text(only, &n);
	if (!bytes) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	return cli_write(cli, bytes, n) ? CLI_FAILED : CLI_FITS;
}

static const char *const details[] = {
	"Lists the finding codes. With one of them: what it means, an example that leads to it,",
	"and how to fix it.",
	NULL,
};

const struct cli_command cmd_codes = {
	.name = "codes",
	.bit = CLI_CODES,
	.arguments = "[CODE]",
	.summary = "explain a finding code",
	.details = details,
	.run = run_codes,
};
