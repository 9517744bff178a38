#!/usr/bin/env bash
# A missing source: bindright before the engine serves the container; the engine before bindright does not, until fix.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

cat >compose.yaml <<'YAML'
services:
  trainer:
    image: busybox
    user: "1001:1001"
    volumes:
      - ./out/models:/data
YAML

# The engine first: it makes root's directories, and the container cannot write.
can 1001:1001 "$work/out/models" -- 'echo x >/data/x' && die "it could write into what the engine made"
[ "$(stat -c %u:%g:%a out/models)" = 0:0:755 ] || die "the engine made something else: $(stat -c %u:%g:%a out/models)"
expect 1 "$BINDRIGHT" check
says BR101
snapshot out >before
expect 0 "$BINDRIGHT" fix --yes
can 1001:1001 "$work/out/models" -- 'echo x >/data/x && rm /data/x' || die "it cannot write after fix"
expect 0 "$BINDRIGHT" undo --yes
snapshot out | diff before - || die "undo did not put everything back"
rm -r out

# bindright first.
expect 1 "$BINDRIGHT" check
says BR201
[ ! -e out ] || die "check created something"
expect 0 "$BINDRIGHT" fix --yes
[ "$(stat -c %u:%g out/models)" = 1001:1001 ] || die "it belongs to $(stat -c %u:%g out/models)"
can 1001:1001 "$work/out/models" -- 'echo x >/data/x' || die "it cannot write into what bindright made"
expect 0 "$BINDRIGHT" check

# What was created is removed only while it is empty.
expect 1 "$BINDRIGHT" undo --yes
[ -e out/models/x ] || die "undo removed a file that it did not make"
rm out/models/x
expect 0 "$BINDRIGHT" undo --yes
[ ! -e out ] || die "undo left out/ behind"

# --no-create-missing leaves it alone.
expect 1 "$BINDRIGHT" fix --yes --no-create-missing
[ ! -e out ] || die "it was created all the same"
