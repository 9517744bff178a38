#!/usr/bin/env bash
# The completions and the manual page offer exactly the options of the option table.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

bindright --list-options >table
commands=$(cut -f1 table | sort -u)
names=$(awk -F'\t' '$2 ~ /^--/ { print $2 }' table | sort -u)
[ "$(wc -l <<<"$names")" -gt 30 ] || die "the table is too short"

# Every long option in a file, "no-" forms as their plain one.
offered() { grep -oE "$1" "$2" | sed -E 's/^.*[- ]l ([a-z])/--\1/; s/^--no-(create-users|create-missing|future-files|privileged-files)$/--\1/' | sort -u; }

check() { # FILE PATTERN
	diff <(echo "$names") <(offered "$2" "$BR_TOP/$1") >&2 || die "$1 and the option table differ"
	for command in $commands; do
		grep -qw "$command" "$BR_TOP/$1" || die "$1 lacks the command $command"
	done
}
check completions/bindright.bash '\--[a-z][a-z-]+'
check completions/_bindright '\--[a-z][a-z-]+'
grep '^complete' "$BR_TOP/completions/bindright.fish" >fish
diff <(echo "$names") <(offered ' -l [a-z-]+' fish) >&2 || die "bindright.fish and the option table differ"
sed "s/\\\\-/-/g" "$BR_TOP/docs/bindright.1" >manual
diff <(echo "$names") <(offered "\--[a-z][a-z-]+" manual) >&2 || die "the manual page and the option table differ"

# The words that an option allows are offered by bash, for the command that has it.
# shellcheck disable=SC1091
. "$BR_TOP/completions/bindright.bash"
complete_line() {
	read -r -a COMP_WORDS <<<"$1"
	[ "${1: -1}" != " " ] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_bindright
	printf '%s\n' "${COMPREPLY[@]}"
}
[ "$(complete_line 'bindright che')" = check ] || die "bindright che<TAB>"
[ "$(complete_line 'bindright fix --strategy g')" = group ] || die "fix --strategy g<TAB>"
[ "$(complete_line 'bindright undo --dr')" = --dry-run ] || die "undo --dr<TAB>"
[ -z "$(complete_line 'bindright check --strat')" ] || die "check has no --strategy"
for command in $commands; do
	[ "$command" != help ] || continue
	while read -r option; do
		complete_line "bindright $command $option" | grep -qx -- "$option" || die "bash: $command $option is not offered"
	done < <(awk -F'\t' -v c="$command" '$1 == c && $2 ~ /^--/ { print $2 }' table)
done
