#!/usr/bin/env bash
# The main job: uid 1001 cannot write a directory of uid 1000; check, fix, the container writes, undo.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir models
echo old >models/last-week.pt
chown 1000:1000 models
cat >compose.yaml <<'YAML'
services:
  trainer:
    image: busybox
    user: "1001:1001"
    volumes:
      - ./models:/data
YAML
snapshot models >before

can 1001:1001 "$work/models" -- 'echo new >/data/model.pt' && die "the container could write before"

expect 1 "$BINDRIGHT" check
says BR101
says "uid 1001 cannot write"
says compose.yaml:6:9
expect 1 "$BINDRIGHT" check --format json
says '"code": "BR101"'
expect 1 "$BINDRIGHT" plan
says uid:1001
snapshot models | cmp -s - before || die "check or plan changed something"
expect 1 "$BINDRIGHT" fix
snapshot models | cmp -s - before || die "fix without --yes changed something"

expect 0 "$BINDRIGHT" fix --yes
in_container 1001:1001 "$work/models" -- 'echo new >/data/model.pt && echo more >>/data/last-week.pt && rm /data/model.pt && echo new >/data/model.pt'
[ "$(stat -c %u:%g models/model.pt)" = 1001:1001 ] || die "the new file belongs to $(stat -c %u:%g models/model.pt)"
can 1002:1002 "$work/models" -- 'echo x >/data/stranger' && die "a stranger can write too"
can 1000:1000 "$work/models" -- 'echo x >/data/owner' || die "the owner lost his access"
rm -f models/model.pt models/owner
expect 0 "$BINDRIGHT" check
expect 0 "$BINDRIGHT" fix --yes

expect 0 "$BINDRIGHT" history
says applied
echo old >models/last-week.pt
expect 0 "$BINDRIGHT" undo --yes
snapshot models >after
diff before after || die "undo did not put everything back"
can 1001:1001 "$work/models" -- 'echo new >/data/model.pt' && die "the container can still write after undo"
expect 0 "$BINDRIGHT" undo --yes
says "nothing to undo"
