#!/usr/bin/env bash
# The completions of zsh and fish, by these shells themselves: each command is offered its own options and words, and no others.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

command -v zsh >/dev/null || skip "needs zsh"
command -v fish >/dev/null || skip "needs fish"
export HOME=$T/home XDG_CONFIG_HOME=$T/home XDG_DATA_HOME=$T/home
mkdir -p "$HOME"
bindright --list-options >table
mapfile -t commands < <(cut -f1 table | sort -u)

# What each line is answered, in files zsh.N and fish.N.
lines=('bindright fi' 'bindright check --strat' 'bindright fix --strategy ' 'bindright plan --format g' 'bindright explain --format '
	'bindright help recl' 'bindright --vers')
words=('fix' '' 'acl auto chown group' 'github' 'json text' 'reclaim' '--version')
for command in "${commands[@]}"; do
	lines+=("bindright $command --")
done
zsh -f "$BR_TOP/tests/cli/completions.zsh" "$BR_TOP/completions" "${lines[@]}" >all 2>"$T/err" || die "zsh: $(cat "$T/err")"
awk 'BEGIN { n = 0 } /^$/ { n++; next } { print > ("zsh." n) }' all
for i in "${!lines[@]}"; do
	fish --no-config -c "source '$BR_TOP/completions/bindright.fish'; complete -C'${lines[i]}'" | cut -f1 | sort -u >"fish.$i"
	touch "zsh.$i"
done

for shell in zsh fish; do
	for i in "${!words[@]}"; do
		got=$(paste -sd' ' "$shell.$i")
		[ "$got" = "${words[i]}" ] || die "$shell: ${lines[i]}<TAB> gives '$got', not '${words[i]}'"
	done
	for k in "${!commands[@]}"; do
		command=${commands[k]}
		awk -F'\t' -v c="$command" '$1 == c && $2 ~ /^--/ { print $2 }' table | sort -u >want
		grep '^--' "$shell.$((k + ${#words[@]}))" | sed 's/^--no-\(create\|future\|privileged\)/--\1/' | sort -u >got
		diff want got >&2 || die "$shell: bindright $command --<TAB>"
	done
done
