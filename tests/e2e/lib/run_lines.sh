# Run lines are given to an engine and to bindright, and both must understand them alike.
# shellcheck shell=bash
#
# Sourced after lib.sh, by a test that has set `client` (docker or podman), `create` (its command, which runs) and `lines` (the file).

: "${work:?}" "${client:?}" "${create:?}" "${lines:?}"

# What the lines name.
mkdir a b 'with space' 'a,b'
touch f
printf 'A=B\n' >./env
export W=$work B=${work##*/} R=$work/root
mkdir -p root/bin
: >understood

# words LINE: the words of a line as the shell splits them, in the array of this name.
words=()
words() { eval "words=($1)"; }

number=0 refused=0
{
	while IFS= read -r -u 9 line; do
		number=$((number + 1))
		case $line in
		'' | '#'*) continue ;;
		esac
		text=${line#!}
		text=${text//@N/$number}
		words "$text"
		name=r$number rc=0 got=0
		case $text in
		*--name*) set -- ;;
		*) set -- --name "$name" ;;
		esac
		"${create[@]}" "$@" "${words[@]}" >made.out 2>made.err </dev/null || rc=$?
		"$BINDRIGHT" inspect --format json -- "$client" create "$@" "${words[@]}" >ours.out 2>ours.err </dev/null || got=$?
		case $line in
		'!'*)
			[ "$rc" != 0 ] || die "line $number: the engine takes it: $text"
			[ "$got" = 2 ] || die "line $number: bindright takes it ($got): $text: $(cat made.err)"
			refused=$((refused + 1))
			continue
			;;
		esac
		[ "$rc" = 0 ] || die "line $number: the engine refuses it: $text: $(cat made.err)"
		[ "$got" = 0 ] || die "line $number: bindright refuses it: $text: $(cat ours.err)"
		cat ours.out >>understood
		printf '%s create --name %s %s\n' "$client" "$name" "$text" >>script.sh
	done
} 9<"$lines"
