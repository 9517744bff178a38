#!/usr/bin/env bash
# examples/pre-run: the script makes what is missing before the engine does, starts nothing that would fail, and asks for nothing twice.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

cp -r "$BR_TOP/examples/pre-run" project && cd project
chown -R 1000:1000 .
# What stands for `docker compose up -d`, which is not everywhere: the engine makes what is missing, as it does for compose.
cat >"$engine/compose" <<END
#!/bin/sh
echo "compose \$*"
exec "$docker" run --rm --network none --user 1001:1001 -v "$PWD/state/store:/store" busybox sh -c 'echo kept >/store/file'
END
chmod 755 "$engine/compose"
export COMPOSE=$engine/compose

# Without the script: root's directory, and a container that cannot write.
expect 1 "$COMPOSE" up
says "Permission denied"
[ "$(stat -c %u state/store)" = 0 ] || die "the engine made it for somebody else"
rm -r state

expect 0 ./up.sh
says "BR201"
says "compose up -d"
[ "$(stat -c %u:%g state/store)" = 1001:1001 ] || die "state/store belongs to $(stat -c %u:%g state/store)"
[ "$(stat -c %u state/store/file)" = 1001 ] || die "the container did not write"
expect 0 ./up.sh store
says_not "BR201"
says_not "Changed"
says "compose up -d store"

# What cannot be found out, or is refused: nothing is started.
expect 2 ./up.sh nosuch
says_not "compose up"
sed -i 's|./state/store|/etc|' compose.yaml
expect 3 ./up.sh
says "refused"
says_not "compose up"
