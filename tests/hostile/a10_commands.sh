#!/usr/bin/env bash
# A10: what is suggested to be typed says exactly what it is about, whatever that is called, as it stands in the report; nothing else happens to who types it.
# shellcheck disable=SC1003,SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Who is called in the place of what changes: the last word is the path.
mkdir $T/bin
for tool in setfacl chown chmod install chattr; do
	printf '#!/bin/sh\nfor word; do :; done\nprintf %%s "$word" >%s\n' $T/typed >$T/bin/$tool
	chmod 755 $T/bin/$tool
done
# typed PATH: the commands of $T/out, each in a shell of its own; how many in $typed.
typed() {
	local line
	typed=0
	while IFS= read -r line; do
		rm -f $T/typed
		for shell in bash ${2-dash}; do
			PATH=$T/bin:$PATH $shell -c "$line" </dev/null >/dev/null 2>&1 || true
			[ ! -e pwned ] || die "typed, it does something else: $line"
			case $(cat $T/typed 2>/dev/null) in "$1" | "$1"/f) ;; *) false ;; esac || die "typed in $shell, it is not about '$1': $line"
		done
		typed=$((typed + 1))
	done < <(sed -nE 's/^ *(\$|this inode:|try:) +((setfacl|chown|chmod|install|chattr) .*)/\2/p' $T/out)
}
long=$(printf 'a long name with many words %.0s' 1 2 3 4 5 6)
for name in "q'u" "q' ; touch pwned ; '" 'a\b' 'a\' "\\' ; touch pwned ; '" '$(touch pwned)' '`touch pwned`' '"; touch pwned; "' "a' '-R' 'b" "$long" '-rf' '~' '=ls' '!x' \
	"$(printf '\303\251t\303\251')"; do
	path=$T/work/$name
	mkdir -- "$path"
	touch -- "$path/f"
	chown -R 7001:7001 -- "$path"
	run=(-- docker run -u 1001:1001 -v "$path:/data" x)
	for command in check plan 'plan --strategy chown'; do
		want 1 "$BINDRIGHT" $command --sysroot $T "${run[@]}"
		typed "$path"
		case $command in plan*) [ $typed -gt 0 ] || die "no command for '$name'" ;; esac
	done
	want 1 "$BINDRIGHT" explain "$path" --as 1001:1001 --need rwx --sysroot $T
	typed "$path"
	case $name in *\\*) ;; *) [ $typed -gt 0 ] || die "explain has no command for '$name'" ;; esac
	rm -r -- "$path"
	# One that is to be made.
	want 1 "$BINDRIGHT" plan --sysroot $T "${run[@]}"
	typed "$path"
done
# Bytes that are no characters can be said to a shell that has $'…'.
for name in $'a\377b' $'a\377\' ; touch pwned ; \'' $'a\377\\'; do
	path=$T/work/$name
	mkdir -- "$path"
	chown 7001:7001 -- "$path"
	want 1 "$BINDRIGHT" plan --sysroot $T -- docker run -u 1001:1001 -v "$path:/data" x
	typed "$path" ''
	[ $typed -gt 0 ] || die "no command"
	rm -r -- "$path"
done
# Control and invisible characters are not to be typed at all.
for name in $'a\nb' $'a\033[2Kb' $'a\tb' $'a\302\233b' $'a\342\200\256b' $'a\177b'; do
	path=$T/work/$name
	mkdir -- "$path"
	touch -- "$path/f"
	chown -R 7001:7001 -- "$path"
	python3 - "$path" >compose.yaml <<'END'
import json, sys
print(json.dumps({"services": {"app": {"image": "x", "user": "1001:1001", "volumes": [{"type": "bind", "source": sys.argv[1], "target": "/data"}]}}}))
END
	for command in check plan 'plan --strategy chown' 'plan --format json' 'check --format json'; do
		want 1 "$BINDRIGHT" $command --sysroot $T
		silent 'setfacl -'
		silent 'chown -'
	done
	want 1 "$BINDRIGHT" explain "$path" --as 1001:1001 --need rwx --sysroot $T
	typed "$path"
	[ $typed = 0 ] || die "it is to be typed"
	rm -r -- "$path"
	for command in check plan 'plan --format json'; do
		want 1 "$BINDRIGHT" $command --sysroot $T
		silent 'install -'
	done
done
