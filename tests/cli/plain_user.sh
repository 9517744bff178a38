#!/usr/bin/env bash
# Without root: what is one's own can be fixed and undone; what cannot be seen is never said to fit.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p home/data home/theirs/closed home/.local && touch home/data/f home/theirs/closed/f
chown -R 7001:7001 home && chown -R 7002:7002 home/theirs && chmod 700 home/theirs/closed
echo "alice:x:7001:7001::$T/work/home:/bin/sh" >passwd.new
cat /etc/passwd passwd.new >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
cd home
compose 'volumes: ["./data:/data"]'
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME="$T/work/home" "$@"; }
golden 1 as_alice "$BINDRIGHT" check -q
golden 0 as_alice "$BINDRIGHT" fix -q --yes
golden 0 getfacl -n data data/f
golden 0 as_alice "$BINDRIGHT" history
golden 0 as_alice "$BINDRIGHT" undo --yes
golden 0 getfacl -n data data/f
compose 'volumes: ["./theirs:/data:ro"]'
golden 1 as_alice "$BINDRIGHT" check
compose 'volumes: ["./theirs/closed/f:/data:ro"]'
golden 1 as_alice "$BINDRIGHT" check -q
compose 'volumes: ["./theirs:/data"]'
golden 1 as_alice "$BINDRIGHT" fix --yes
done_golden
