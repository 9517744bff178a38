#!/usr/bin/env bash
# Help for every command comes from the one table, and fits a terminal of 80 columns.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

golden 0 bindright help
golden 0 bindright --help
golden 0 bindright --version
for command in $(bindright --list-options | cut -f1 | sort -u); do
	golden 0 bindright help "$command"
	"$BINDRIGHT" "$command" --help | diff "$T/out" - || die "$command --help is something else"
	if grep -nE '^.{81,}' "$T/out"; then die "help $command is too wide"; fi
done
done_golden
