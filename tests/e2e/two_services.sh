#!/usr/bin/env bash
# Two services with different users on one directory: both are served, by an entry each, and nobody else.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir -p shared/sub
echo a >shared/a
echo b >shared/sub/b
chown -R 1000:1000 shared
chmod -R g-w,o-rwx shared
cat >compose.yaml <<'YAML'
services:
  writer:
    image: busybox
    user: "1001:1001"
    volumes:
      - ./shared:/data
  reader:
    image: busybox
    user: "1002:1002"
    volumes:
      - type: bind
        source: ./shared
        target: /data
        read_only: true
YAML
snapshot shared >before
expect 1 "$BINDRIGHT" check
says BR401
says BR101
says BR103
expect 0 "$BINDRIGHT" fix --yes
can 1001:1001 "$work/shared" -- 'echo x >>/data/sub/b && echo y >/data/sub/c && rm /data/sub/c' || die "the writer cannot write"
can 1002:1002 "$work/shared" -- 'cat /data/a /data/sub/b' || die "the reader cannot read"
can 1002:1002 "$work/shared" -- 'echo x >>/data/a' && die "the reader can write"
can 1003:1003 "$work/shared" -- 'cat /data/a' && die "a stranger can read"
can 1000:1000 "$work/shared" -- 'echo x >>/data/a' || die "the owner lost his access"
expect 0 "$BINDRIGHT" check
says_not BR401
expect 0 "$BINDRIGHT" undo --yes
snapshot shared | diff before - || die "undo did not put everything back"
