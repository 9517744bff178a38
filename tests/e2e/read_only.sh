#!/usr/bin/env bash
# A read-only mount: reading is all that is needed, and all that is given.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir models
echo weights >models/a.pt
chown -R 1000:1000 models
chmod 750 models
chmod 640 models/a.pt
cat >compose.yaml <<'YAML'
services:
  server:
    image: busybox
    user: "1001:1001"
    volumes:
      - ./models:/data:ro
YAML
snapshot models >before
can 1001:1001 "$work/models" -- 'cat /data/a.pt' && die "it could read before"
expect 1 "$BINDRIGHT" check
says BR102
says BR103
says_not BR101
expect 0 "$BINDRIGHT" fix --yes
[ "$(in_container 1001:1001 "$work/models" -- 'cat /data/a.pt')" = weights ] || die "it cannot read"
can 1001:1001 "$work/models" -- 'echo x >>/data/a.pt' && die "fix gave more than reading (file)"
can 1001:1001 "$work/models" -- 'touch /data/x' && die "fix gave more than reading (directory)"
can 1002:1002 "$work/models" -- 'cat /data/a.pt' && die "a stranger can read"
expect 0 "$BINDRIGHT" undo --yes
snapshot models | diff before - || die "undo did not put everything back"

# A world-readable tree fits as it is.
chmod 755 models
chmod 644 models/a.pt
expect 0 "$BINDRIGHT" check
