#!/usr/bin/env bash
# Which lines and branches the tests reached: tests/coverage.sh DIRECTORY
#
# One line a file and a directory; DIRECTORY/lines/ gets the sources with how often each line ran.
set -eu

directory=$1
version=$(${CLANG:-clang} -dumpversion | sed 's/\..*//')

# tool NAME ARGUMENT...: the one that fits the compiler.
tool() {
	local name=$1
	shift
	if command -v "$name-$version" >/dev/null; then
		name=$name-$version
	fi
	"$name" "$@"
}

programs() {
	printf '%s\n' "$directory"/bindright
	find "$directory/tests" -maxdepth 1 -type f -perm -u+x | sort
}

report() {
	local objects=()
	mapfile -t objects < <(programs | sed '2,$s/^/-object=/')
	tool llvm-profdata merge -o "$directory/profile" "$directory"/counters/*.profraw
	rm -rf "$directory/lines"
	tool llvm-cov show "${objects[@]}" -instr-profile="$directory/profile" -show-branches=count \
		-output-dir="$directory/lines" src >/dev/null
	tool llvm-cov export "${objects[@]}" -instr-profile="$directory/profile" -summary-only src |
		python3 "$(dirname "$0")/coverage.py"
}

report
