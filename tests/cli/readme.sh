#!/usr/bin/env bash
# The terminal session in README.md is what really happens: its lines come in this order.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p $T/ml/models && cd $T/ml
touch models/last-week.pt
chown 1000:1000 models
sed -e '/^[^:]*:[^:]*:100[01]:/d' /etc/passwd >$T/passwd
sed -e '/^[^:]*:[^:]*:100[01]:/d' /etc/group >$T/group
printf 'alice:x:1000:1000::/home/alice:/bin/sh\ntrainer:x:1001:1001::/:/bin/sh\n' >>$T/passwd
printf 'alice:x:1000:\ntrainer:x:1001:\n' >>$T/group
mount --bind $T/passwd /etc/passwd
mount --bind $T/group /etc/group
printf 'services:\n  trainer:\n    image: trainer\n    user: "1001:1001"\n    volumes:\n      - ./models:/app/models\n' >compose.yaml

{
	echo '$ bindright'
	bindright || [ $? = 1 ]
	echo '$ sudo bindright fix --yes'
	bindright fix --yes
	echo '$ docker compose up'
} >../happens

# shellcheck disable=SC2016
sed -n '/^```console$/,/^```$/p' "$BR_TOP/README.md" | sed '1d;$d' >../says

# Each line of the session follows the one before it, but where "..." says that something is left out.
at=0 n=0 gap=
while IFS= read -r line; do
	[ "$line" != ... ] || {
		gap=yes
		continue
	}
	line=${line%%  *# *}
	case $line in *'bindright undo '*) line='To put it back: bindright undo ' ;; esac
	next=$(tail -n +$((at + 1)) ../happens | grep -nF -m 1 -- "$line" | cut -d: -f1) || true
	[ -n "$next" ] || die "README.md says, but bindright does not: $line"
	[ -n "$gap" ] || [ "$next" = 1 ] || die "README.md leaves something out before: $line"
	gap=
	at=$((at + next)) n=$((n + 1))
done <../says
[ "$n" -gt 20 ] || die "README.md has no session"

# Its pieces of compose files are ones, and mean what is written beside them.
block() { awk -v want="$1" '/^```/ { inside = /^```yaml$/; n += inside; next } inside && n == want' "$BR_TOP/README.md"; }
says() { tr -s ' \n' '  ' <../said | grep -qF -- "$1" || die "README.md's compose file does not say: $1"; }
block 1 >ignore.yaml
bindright inspect -f compose.yaml -f ignore.yaml >../said
says 'ignore BR302: uid 1001 is our build user'
block 2 >wishes.yaml
bindright inspect -f wishes.yaml >../said
says 'ignore BR305: the base image starts as root'
says "bind $T/ml/models -> /models rw need rw future files true user alice"
[ -z "$(block 3)" ] || die "README.md has a compose file that nobody reads here"
