#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/** What uname and users call architectures, and what images call them. */
static const struct {
	const char *name, *architecture, *variant;
} aliases[] = {
	{"x86_64", "amd64", ""},
	{"x86-64", "amd64", ""},
	{"aarch64", "arm64", ""},
	{"armv8l", "arm64", ""},
	{"armhf", "arm", "v7"},
	{"armv7l", "arm", "v7"},
	{"armel", "arm", "v6"},
	{"armv6l", "arm", "v6"},
	{"i386", "386", ""},
	{"i486", "386", ""},
	{"i586", "386", ""},
	{"i686", "386", ""},
	{"loongarch64", "loong64", ""},
	{"mips64", "mips64le", ""},
};

/** What an architecture means without a variant. */
static const struct {
	const char *architecture, *variant;
} defaults[] = {
	{"amd64", "v1"},
	{"arm", "v7"},
	{"arm64", "v8"},
};

static void make_one(struct platform *p) {
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++) {
		if (!strcmp(p->architecture, aliases[i].name)) {
			// All of them are short.
			(void)strncpy(p->architecture, aliases[i].architecture,
				sizeof(p->architecture) - 1);
			if (!*p->variant) {
				(void)strncpy(
					p->variant, aliases[i].variant, sizeof(p->variant) - 1);
			}
			break;
		}
	}
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++) {
		if (!*p->variant && !strcmp(p->architecture, defaults[i].architecture)) {
			(void)strncpy(p->variant, defaults[i].variant, sizeof(p->variant) - 1);
		}
	}
}

/** One part up to the next slash; the text goes behind it. -1 where it does not fit. */
static int take(const char **text, char *out, size_t size) {
	size_t n = strcspn(*text, "/");
	if (!n || n >= size) {
		return -1;
	}
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n + ((*text)[n] == '/');
	return 0;
}

int platform_read(const char *text, struct platform *out) {
	*out = (struct platform){.os = "linux"};
	bool has_os = strchr(text, '/') || !strcmp(text, "linux") || !strcmp(text, "windows");
	if ((has_os && take(&text, out->os, sizeof(out->os)))
		|| take(&text, out->architecture, sizeof(out->architecture))
		|| (*text && take(&text, out->variant, sizeof(out->variant))) || *text) {
		return -1;
	}
	make_one(out);
	return 0;
}

const char *platform_here(void) {
	// What uname says does not change, and a constant string needs no owner.
	static const struct {
		const char *machine, *platform;
	} known[] = {
		{"x86_64", "linux/amd64"},
		{"aarch64", "linux/arm64"},
		{"armv7l", "linux/arm/v7"},
		{"armv8l", "linux/arm/v7"},
		{"armv6l", "linux/arm/v6"},
		{"i686", "linux/386"},
		{"ppc64le", "linux/ppc64le"},
		{"s390x", "linux/s390x"},
		{"riscv64", "linux/riscv64"},
		{"loongarch64", "linux/loong64"},
		{"mips64", "linux/mips64le"},
	};
	struct utsname names;
	if (uname(&names)) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!strcmp(names.machine, known[i].machine)) {
			return known[i].platform;
		}
	}
	return NULL;
}

unsigned platform_rank(const struct platform *wants, const struct platform *has) {
	if (strcmp(wants->os, has->os) != 0
		|| strcmp(wants->architecture, has->architecture) != 0) {
		return 0;
	}
	if (!strcmp(wants->variant, has->variant)) {
		return 100;
	}
	// A machine runs what is made for older ones of its kind: "v7" what is for "v6".
	bool lower = strlen(has->variant) == 2 && strlen(wants->variant) == 2
		&& has->variant[0] == 'v' && wants->variant[0] == 'v'
		&& has->variant[1] < wants->variant[1];
	return lower ? (unsigned)has->variant[1] - '0' + 1 : 0;
}
