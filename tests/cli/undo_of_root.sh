#!/usr/bin/env bash
# Who has nothing to undo is told how many fixes root may take back, and nothing where that cannot be known.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p home/.local one two && chown -R 7001:7001 home && chown 7002:7002 one two
printf 'alice:x:7001:7001::/srv/work/home:/bin/sh\n' >passwd.new
cat /etc/passwd passwd.new >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME=/srv/work/home "$@"; }
golden 0 as_alice "$BINDRIGHT" undo --yes
compose 'volumes: ["./one:/data"]'
bindright fix -q --yes >/dev/null 2>&1 || die 'no fix'
golden 0 as_alice "$BINDRIGHT" undo --yes
compose 'volumes: ["./two:/data"]'
bindright fix -q --yes >/dev/null 2>&1 || die 'no fix'
golden 0 as_alice "$BINDRIGHT" undo --yes
bindright undo -q --yes
golden 0 as_alice "$BINDRIGHT" undo --yes
# What stands there is a number or nothing, and nobody waits for it.
for word in '' -1 4294967296 'two fixes'; do
	printf '%s\n' "$word" >"$T/state/undoable"
	golden 0 as_alice "$BINDRIGHT" undo --yes
done
rm "$T/state/undoable" && mkfifo "$T/state/undoable"
golden 0 as_alice timeout 60 "$BINDRIGHT" undo --yes
rm "$T/state/undoable" && echo 2 >two/number && ln -s /srv/work/two/number "$T/state/undoable"
golden 0 as_alice "$BINDRIGHT" undo --yes
done_golden
