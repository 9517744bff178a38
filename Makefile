# bindright: `make help` lists the targets.
#
#   make SAN=address,undefined test    everything under sanitizers (or SAN=thread)
#   make CC=clang WERROR=1             another compiler; warnings are errors
#   make check SUITES="unit cli"       some of the tests: unit, cli, hostile, e2e (real containers), matrix (hundreds of them)
#   make check ONLY=text               the tests whose file name holds this word, or one of these; EXCEPT=text: the others
#   make check UNDER=enosys            the tests with the newer system calls refused (tests/under)
#   make V=1                           show the commands
#
# Objects lie under .build/VARIANT/; the plain variant is also put at the top as ./bindright and ./libbindright.a.

VERSION := 0.1.0

CC ?= cc
AR ?= ar
NM ?= nm
OBJCOPY ?= objcopy
INSTALL ?= install
PKG_CONFIG ?= pkg-config
CFLAGS ?= -g -O2
SAN ?=
WERROR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
CLANG ?= clang
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
SUITES ?= unit cli hostile e2e
ONLY ?=
EXCEPT ?=
UNDER ?=
FUZZ_SECONDS ?= 60
V ?=

# What is linked: pkg-config's names.
LIBS := libfyaml libacl libcap jansson mount libseccomp libarchive libcurl
# Debian's names for that, for the tests, and for what only `make lint` and .ci/run need.
BUILD_PACKAGES := gcc make pkg-config libc6-dev libfyaml-dev libacl1-dev libcap-dev libjansson-dev \
    libmount-dev libseccomp-dev libarchive-dev libcurl4-openssl-dev
TEST_PACKAGES := libcmocka-dev acl python3 e2fsprogs groff-base mandoc bindfs
CI_PACKAGES := clang clang-format clang-tidy cppcheck shellcheck valgrind docker.io busybox-static sudo \
    xfsprogs btrfs-progs podman runc crun uidmap skopeo rootlesskit fuse3 libfuse3-dev zsh fish jq \
    $(if $(filter x86_64,$(shell uname -m)),user-mode-linux)

comma := ,
empty :=
space := $(empty) $(empty)
quote := '

COMPILER := $(notdir $(firstword $(CC)))
VARIANT := $(if $(SAN),$(subst $(comma),-,$(SAN)),plain)$(if $(filter-out cc gcc,$(COMPILER)),-$(COMPILER))
O ?= .build/$(VARIANT)

# Nothing here stops make where the compiler or a library is missing, or `make deps` could not bring it.
probe = $(shell echo 'int main(void) { return 0; }' | \
    $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
OPTIMISED := $(if $(SAN),,$(filter -O1 -O2 -O3 -Os,$(CFLAGS)))
HARDENING := -fPIE $(if $(OPTIMISED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
HARDENING += $(call probe,-fstack-protector-strong) $(call probe,-fstack-clash-protection)
HARDENING += $(call probe,-fcf-protection) $(call probe,-mbranch-protection=standard)
SANITIZE := $(if $(SAN),-DBR_SANITIZED -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
    -Wformat=2 -Wvla -Wundef -Wwrite-strings -Wcast-qual $(if $(WERROR),-Werror)

DEFINES := -D_GNU_SOURCE -DBR_VERSION=$(quote)"$(VERSION)"$(quote) -Iinclude -Isrc
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
LIBS_LINK := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null)

override CPPFLAGS += $(DEFINES) $(LIBS_CFLAGS) -MMD -MP
override CFLAGS += -std=gnu17 -pthread $(WARNINGS) $(HARDENING) $(SANITIZE)
# A library that nothing uses yet is not loaded.
override LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

LIB_SRC := $(sort $(filter-out src/cli/%,$(wildcard src/*.c src/*/*.c src/*/*/*.c)))
CLI_SRC := $(sort $(wildcard src/cli/*.c))
TEST_SRC := $(sort $(wildcard tests/test_*.c))
SUPPORT_SRC := $(sort $(wildcard tests/support/*.c))
HEADERS := $(sort $(wildcard include/bindright/*.h))
ALL_C := $(sort $(shell find src include tests examples -name '*.[ch]' 2>/dev/null))
SCRIPTS := $(sort $(shell find tests examples src .ci \( -name '*.sh' -o -path .ci/run \) -type f 2>/dev/null))

LIB_OBJ := $(LIB_SRC:%.c=$O/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$O/%.o)
TESTS := $(TEST_SRC:tests/%.c=$O/tests/%)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$O/%.o)

LIBRARY := $O/libbindright.a
PROGRAM := $(if $(CLI_SRC),$O/bindright)
# Only the plain variant is what a user wants to find at the top.
TOP := $(if $(filter .build/plain,$O),libbindright.a $(if $(PROGRAM),bindright))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: FORCE all help deps deps-ci demo test check tests lint format lint-format lint-layers lint-headers \
    lint-libraries lint-shell lint-cppcheck lint-tidy install uninstall prove fuzz fuzz-run coverage coverage-run \
    bench codes clean

##: all             the program ./bindright and the library ./libbindright.a
all: $(LIBRARY) $(PROGRAM) $(TOP)

bindright libbindright.a: %: $O/%
	@ln -f $< $@ 2>/dev/null || cp -f $< $@

# ---- compiling ----

# A short line for each command, or the command itself.
quiet = $(if $(V),,@echo '  $(1)  $(2)';)

# Everything is compiled again when the flags change (-Werror changes no object); the archive is made again when a source comes or goes.
$O/flags: FORCE
	@mkdir -p $(@D)
	@$(PKG_CONFIG) --exists $(LIBS) || { \
		echo "bindright: needs $(LIBS): run 'make deps'" >&2; exit 1; }
	@new='$(subst $(quote),,$(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS)) $(LDFLAGS) $(LIBS_LINK))'; \
	    test "$$new" = "$$(cat $@ 2>/dev/null)" || echo "$$new" >$@

$O/objects: FORCE
	@mkdir -p $(@D)
	@test '$(LIB_OBJ) $(CLI_OBJ)' = "$$(cat $@ 2>/dev/null)" || echo '$(LIB_OBJ) $(CLI_OBJ)' >$@

FORCE:

$O/%.o: %.c $O/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Private: what a test needs would otherwise be a flag of $O/flags too, and all be compiled again.
$O/tests/%.o: private override CPPFLAGS += -Itests

$(LIBRARY): $(LIB_OBJ) $O/objects
	@rm -f $@
	$(call quiet,AR,$@)$(AR) rcsD $@ $(LIB_OBJ)

$O/bindright: $(CLI_OBJ) $(LIBRARY) $O/objects
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(CLI_OBJ) $(LIBRARY) $(LIBS_LINK) -o $@

# Tests can make the n-th allocation fail: support/fault.h; and say what quotas there are: support/quotas.h.
WRAPPED := malloc calloc realloc reallocarray free br_alloc br_alloc_array br_strndup br_strdup br_printf br_vec_grow br_sys_quota
WRAP := $(if $(SUPPORT_SRC),$(WRAPPED:%=-Wl$(comma)--wrap=%))
.PHONY: wrap-flags
wrap-flags:
	@echo '$(WRAP)'
$O/tests/test_%: $O/tests/test_%.o $(SUPPORT_OBJ) $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) $< $(SUPPORT_OBJ) $(LIBRARY) $(LIBS_LINK) -lcmocka -o $@

# Programs that end-to-end tests run.
E2E_PROGRAMS := $(patsubst tests/%.c,$O/tests/%,$(sort $(wildcard tests/e2e/*.c)))
$O/tests/e2e/%: $O/tests/e2e/%.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $< $(LIBRARY) $(LIBS_LINK) -o $@

# What tests can be run under.
UNDER_PROGRAM := $(if $(UNDER),$O/tests/under/$(UNDER))
$O/tests/under/%: $O/tests/under/%.o
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS_LINK) -o $@

# Fuzzers: clang brings their main(), and the library is built so that it sees which branches were taken.
FUZZERS := $(patsubst tests/%.c,$O/tests/%,$(sort $(wildcard tests/fuzz/*.c)))
$O/tests/fuzz/fuzz_archive: $O/tests/support/tarball.o
$O/tests/fuzz/%: $O/tests/fuzz/%.o $(LIBRARY)
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $(filter %.o,$^) $(LIBRARY) $(LIBS_LINK) -o $@

# The one that the hostile tests run.
MEDDLE := $(patsubst tests/%.c,$O/tests/%,$(sort $(wildcard tests/hostile/*.c)))
$O/tests/hostile/%: $O/tests/hostile/%.o $O/tests/support/trace.o
	$(call quiet,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

# The disk that remembers: without libfuse3 the proof of power cuts is skipped.
$O/tests/oracle/flushlog: tests/oracle/flushlog.c $O/flags
	@mkdir -p $(@D)
	@if $(PKG_CONFIG) --exists fuse3; then \
		$(CC) $(CFLAGS) $(DEFINES) $< -o $@ $$($(PKG_CONFIG) --cflags --libs fuse3) -pie; fi

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(CLI_OBJ) $(SUPPORT_OBJ)) $(TESTS:%=%.d) $(E2E_PROGRAMS:%=%.d) $(MEDDLE:%=%.d) \
    $(FUZZERS:%=%.d)
.SECONDARY:

# ---- packages ----

# $(1): the packages. Asks dpkg first, so that a second call needs neither rights nor a network. On a machine that has just started
# somebody else may be at work with packages, and a mirror may be in the midst of a change: it is tried again.
define install_packages
	@missing=; for p in $(1); do \
		test "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed || missing="$$missing $$p"; \
	done; \
	test -n "$$missing" || exit 0; \
	install="apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends$$missing"; \
	command -v apt-get >/dev/null || { \
		echo "bindright: not Debian; needs what Debian calls:$$missing" >&2; exit 1; }; \
	if test "$$(id -u)" = 0; then as=; \
	elif sudo -n true 2>/dev/null; then as='sudo -n'; \
	elif command -v sudo >/dev/null && test -t 0; then as=sudo; \
	else echo "bindright: run as root: apt-get update && apt-get install -y --no-install-recommends$$missing" >&2; exit 1; fi; \
	echo "installing:$$missing"; \
	$$as env DEBIAN_FRONTEND=noninteractive $$install >/dev/null 2>&1 && exit 0; \
	for pause in 10 30 0; do \
		$$as apt-get update && $$as env DEBIAN_FRONTEND=noninteractive $$install && exit 0; \
		sleep $$pause; \
	done; exit 1
endef

##: deps            install what building and testing need (Debian; by sudo if need be)
deps:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))

##: deps-ci         install also what lint and .ci/run need
deps-ci:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(CI_PACKAGES))
	test -d .build/compose || tests/compose/fetch.sh .build/compose

# ---- running ----

# A second make, because what a first one found out about the libraries was before deps.
##: demo            show what the program does, on a container that cannot save its model
demo: deps
	@$(MAKE) --no-print-directory -s all
	@examples/scenario-4-save-trained-model/run.sh

##: test            deps, and all tests
test: deps
	@$(MAKE) --no-print-directory check

CLI_TESTS := $(sort $(filter-out %/lib.sh,$(wildcard tests/cli/*.sh)))
HOSTILE_TESTS := $(sort $(wildcard tests/hostile/a[0-9]*.sh))
# Those that ask real engines hundreds of questions are a suite of their own, for .ci/run.
MATRIX_TESTS := $(sort $(wildcard $(patsubst %,tests/e2e/%.sh,compose_config containers dockerfile_builds engine_matrix \
    identity_matrix image_archive inside_image podman_identity podman_images projects run_lines \
    run_lines_podman)))
E2E_TESTS := $(sort $(filter-out %/lib.sh $(MATRIX_TESTS),$(wildcard tests/e2e/*.sh)))
CHOSEN := $(if $(filter unit,$(SUITES)),$(TESTS)) $(if $(filter cli,$(SUITES)),$(CLI_TESTS)) \
    $(if $(filter hostile,$(SUITES)),$(HOSTILE_TESTS)) $(if $(filter e2e,$(SUITES)),$(E2E_TESTS)) \
    $(if $(filter matrix,$(SUITES)),$(MATRIX_TESTS))
# holds WORDS FILE: not empty where the file's name holds one of them.
holds = $(strip $(foreach w,$1,$(findstring $w,$(notdir $2))))
CHOSEN := $(if $(ONLY),$(foreach t,$(CHOSEN),$(if $(call holds,$(ONLY),$t),$t)),$(CHOSEN))
CHOSEN := $(foreach t,$(CHOSEN),$(if $(call holds,$(EXCEPT),$t),,$t))

##: check           all tests, with what is installed
check: all $(UNDER_PROGRAM) $(filter $(TESTS),$(CHOSEN)) $(if $(filter tests/e2e/%,$(CHOSEN)),$(E2E_PROGRAMS)) \
    $(if $(filter tests/hostile/%,$(CHOSEN)),$(MEDDLE))
	@BINDRIGHT='$(abspath $(PROGRAM))' BR_TOP='$(CURDIR)' BR_SAN='$(SAN)' BR_BUILD='$(abspath $O)' \
	    $(if $(UNDER),BR_UNDER='$(UNDER)' TEST_UNDER='$(abspath $(UNDER_PROGRAM))') tests/run.sh $(CHOSEN)

##: tests           build the test programs only
tests: $(TESTS)

##: prove           the long comparisons with the kernel and with engines (tests/oracle)
prove: all tests $(MEDDLE) $O/tests/oracle/flushlog
	@BINDRIGHT='$(abspath $(PROGRAM))' BR_TOP='$(CURDIR)' BR_BUILD='$(abspath $O)' TEST_SECONDS=3600 \
	    tests/run.sh $(sort $(wildcard tests/oracle/*.sh))

##: fuzz            run the fuzzers (tests/fuzz) for FUZZ_SECONDS each (60); needs clang
fuzz:
	@$(MAKE) --no-print-directory CC='$(CLANG)' SAN=fuzzer-no-link,address,undefined fuzz-run
fuzz-run: $(foreach f,$(FUZZERS),$(if $(findstring $(ONLY),$(notdir $f)),$f))
	@for f in $^; do echo "  FUZZ  $$f"; mkdir -p "$$f.corpus" && cd "$$f.corpus" && \
	    '$(CURDIR)'/$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 . || exit 1; \
	    cd '$(CURDIR)' || exit 1; done

# clang's counters lie in a file that all processes of a program share, so that they count also in whoever is confined, killed, or
# leaves by _exit. Everybody may write them: tests become other users.
COVERAGE := .build/coverage
COVERAGE_FLAGS = -g -O1 -fprofile-instr-generate=$(abspath $(COVERAGE))/counters/%m%c.profraw -fcoverage-mapping \
    -fprofile-update=atomic -Xclang -mllvm -Xclang -runtime-counter-relocation

##: coverage        which lines and branches unit, cli and hostile tests reach, by directory (needs clang and llvm); ONLY= as above
coverage:
	@rm -rf $(COVERAGE)/counters && mkdir -p $(COVERAGE)/counters && chmod 1777 $(COVERAGE)/counters
	@setfacl -d -m u::rwx,g::rwx,o::rwx $(COVERAGE)/counters
	@$(MAKE) --no-print-directory CC='$(CLANG)' O=$(COVERAGE) CFLAGS='$(COVERAGE_FLAGS)' \
	    SUITES='$(filter-out e2e,$(SUITES))' coverage-run
coverage-run: all tests
	@-$(MAKE) --no-print-directory check
	@tests/coverage.sh $(COVERAGE)

##: bench           measure (tests/bench)
bench: all
	@for b in tests/bench/bench*.sh; do \
		test -e "$$b" || { echo 'bindright: no measurements here yet' >&2; exit 1; }; \
		BINDRIGHT='$(abspath $(PROGRAM))' BR_TOP='$(CURDIR)' "$$b" || exit 1; \
	done

##: codes           write docs/codes.md anew from the pages in src/check/pages.c
codes: all
	@./bindright --list-codes >docs/codes.md

# ---- looking at the sources ----

##: lint            format, layers, headers, libraries, shellcheck, cppcheck, clang-tidy
lint: lint-format lint-layers lint-headers lint-libraries lint-shell lint-cppcheck lint-tidy

##: format          lay the sources out as lint wants them
format:
	@$(CLANG_FORMAT) -i $(ALL_C)

lint-format:
	@$(CLANG_FORMAT) --dry-run -Werror $(ALL_C)

lint-layers:
	@awk -f tests/layers.awk $(filter src/% include/%,$(ALL_C))

# Each header brings what it needs.
lint-headers:
	@for h in $(filter %.h,$(ALL_C)); do \
		echo "#include \"$$h\"" | $(CC) $(filter-out -MMD -MP,$(CPPFLAGS)) -Itests -I. -std=gnu17 \
		    $(WARNINGS) -Werror -x c -fsyntax-only - || exit 1; \
	done

# A library's header is included by one file, or by one folder ($(2) ends with a slash): everybody else sees plain values.
define one_file
	@found=$$(grep -lE '^#[[:space:]]*include <($(1))>' $(filter src/% include/%,$(ALL_C))); \
	for f in $$found; do case "$$f" in $(2)*) ;; *) echo "$$f: must not include <$(1)>" >&2; exit 1 ;; esac; done

endef

lint-libraries:
	$(call one_file,sys/acl\.h|acl/libacl\.h,src/inode.c)
	$(call one_file,sys/capability\.h,src/identity/caps.c)
	$(call one_file,pthread\.h,src/base/)
	$(call one_file,seccomp\.h,src/base/filter.c)
	$(call one_file,libfyaml\.h,src/doc/)
	$(call one_file,jansson\.h,src/doc/)
	$(call one_file,libmount/libmount\.h|libmount\.h,src/source)
	$(call one_file,shadow/subid\.h,src/identity/hostdb.c)
	$(call one_file,archive\.h|archive_entry\.h,src/image/tar.c)
	$(call one_file,curl/curl\.h,src/image/engine.c)

lint-shell:
	$(if $(SCRIPTS),@shellcheck -x $(SCRIPTS))

lint-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
	    --inline-suppr --suppress=missingIncludeSystem $(DEFINES) $(LIB_SRC) $(CLI_SRC)

# Two at a time, and each file by itself, so that one finding does not hide the others.
lint-tidy:
	@printf '%s\n' $(LIB_SRC) $(CLI_SRC) | xargs -P2 -I{} sh -c \
	    '$(CLANG_TIDY) --quiet "$$1" -- -std=gnu17 -D_GNU_SOURCE -DBR_VERSION=\"$(VERSION)\" -Iinclude -Isrc $(WARNINGS) $(LIBS_CFLAGS) 2>/dev/null' sh {}

# ---- installing ----

# There is no shared library, so whoever links the archive needs what it needs: Requires, since Requires.private would bring
# the libraries of those libraries along. libcurl and libarchive are only loaded.
PC = prefix=$(PREFIX)\nlibdir=$(LIBDIR)\nincludedir=$(INCLUDEDIR)\n\n
PC += \nName: bindright\nDescription: checks and fixes host permissions for container bind mounts\n
PC += \nVersion: $(VERSION)\nRequires: $(filter-out libcurl libarchive,$(LIBS))\nLibs: -L$${libdir} -lbindright -pthread\n
PC += \nCflags: -I$${includedir}\n

MANUALS = $(wildcard docs/*.[1-8])
man_path = $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
BASH_COMPLETION = $(DESTDIR)$(DATADIR)/bash-completion/completions/bindright
ZSH_COMPLETION = $(DESTDIR)$(DATADIR)/zsh/site-functions/_bindright
# Where docker looks for plugins of everybody, with the PREFIX of /usr/local or /usr.
DOCKER_PLUGIN = $(DESTDIR)$(PREFIX)/lib/docker/cli-plugins/docker-bindright
FISH_COMPLETION = $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/bindright.fish

# $(1): the files of which there may be one; $(2): where it goes.
install_any = $(if $(wildcard $(1)),$(INSTALL) -D -m 644 $(firstword $(wildcard $(1))) '$(2)')

# The library's own functions have short names, which are the user's as well: in what is installed they begin with br_, too.
$O/installed/libbindright.a: $(LIBRARY)
	@mkdir -p $(@D)
	@$(NM) -g --defined-only $< | awk 'NF == 3 && $$3 !~ /^br_/ { print $$3, "br__" $$3 }' | sort -u >$@.names
	$(call quiet,AR,$@)$(OBJCOPY) --redefine-syms=$@.names $< $@

##: install         program, docker plugin, library, headers, manual pages, completions (PREFIX, DESTDIR)
install: all $O/installed/libbindright.a
	$(if $(PROGRAM),$(INSTALL) -D -m 755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/bindright')
	$(INSTALL) -D -m 644 $O/installed/libbindright.a '$(DESTDIR)$(LIBDIR)/libbindright.a'
	$(INSTALL) -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)/bindright'
	printf '$(subst \n$(space)\n,\n,$(PC))' >'$(DESTDIR)$(LIBDIR)/pkgconfig/bindright.pc'
	$(INSTALL) -m 644 $(HEADERS) '$(DESTDIR)$(INCLUDEDIR)/bindright/'
	$(foreach m,$(MANUALS),$(INSTALL) -D -m 644 $m '$(call man_path,$m)' &&) true
	$(call install_any,completions/bindright.bash completions/bindright,$(BASH_COMPLETION))
	$(call install_any,completions/_bindright completions/bindright.zsh,$(ZSH_COMPLETION))
	$(call install_any,completions/bindright.fish,$(FISH_COMPLETION))
	$(INSTALL) -d '$(dir $(DOCKER_PLUGIN))'
	ln -sf '$(BINDIR)/bindright' '$(DOCKER_PLUGIN)'

##: uninstall       take that away again
uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/bindright' '$(DESTDIR)$(LIBDIR)/libbindright.a'
	rm -f '$(DESTDIR)$(LIBDIR)/pkgconfig/bindright.pc'
	rm -rf '$(DESTDIR)$(INCLUDEDIR)/bindright'
	rm -f $(foreach m,$(MANUALS),'$(call man_path,$m)')
	rm -f '$(BASH_COMPLETION)' '$(ZSH_COMPLETION)' '$(FISH_COMPLETION)' '$(DOCKER_PLUGIN)'

##: clean           remove what was built
clean:
	rm -rf .build bindright libbindright.a

##: help            this list
help:
	@sed -n 's/^##: /  make /p' Makefile
