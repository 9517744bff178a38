#!/usr/bin/env bash
# examples/ml-repository: the make targets stop what would fail, make it fit for exactly those who need it, and put it back.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

cp -r "$BR_TOP/examples/ml-repository" repository && cd repository
mkdir data
echo 1,2,3 >data/train.csv
chmod 750 data && chmod 640 data/train.csv
chown -R 1000:1000 .
"$docker" build -q -t ml-repository-trainer . >/dev/null
snapshot . >"$engine/before"

train() { "$docker" run --rm --network none --user 1001:1001 -v "$PWD/data:/data:ro" -v "$PWD/models:/models" -v "$PWD/runs:/runs" ml-repository-trainer sh /app/train.sh; }
serve() { "$docker" run --rm --network none --user 1002:1002 -v "$PWD/models:/models:ro" ml-repository-trainer sh /app/serve.sh; }
# What stands for `docker compose`, which is not everywhere.
printf '#!/bin/sh\necho "compose $*"\n' >"$engine/compose" && chmod 755 "$engine/compose"
mk() { env -u MAKEFLAGS -u MAKELEVEL make BINDRIGHT="$BINDRIGHT" COMPOSE="$engine/compose" "$@"; }

expect 2 mk check-mounts
says "BR201"
says "BR401"
says "uid 1001 cannot read"
expect 2 mk train
says_not "compose run"
expect 2 mk fix-mounts
says "nothing was changed"
snapshot . | diff "$engine/before" - >&2 || die "it changed something unasked"

expect 0 mk fix-mounts YES=1
expect 0 mk check-mounts
expect 0 mk train
says "compose run --rm trainer"
expect 0 train
says "trained as uid 1001"
expect 0 serve
says "serving weights of [1,2,3] as uid 1002"
can 1001:1001 "$PWD/data" -- 'echo x >>/data/train.csv' && die "the trainer can write its data"
can 1002:1002 "$PWD/models" -- 'touch /data/x' && die "the server can write models"
can 1002:1002 "$PWD/data" -- 'cat /data/train.csv' && die "the server can read the data"
can 1003:1003 "$PWD/data" -- 'cat /data/train.csv' && die "a stranger can read the data"
can 1000:1000 "$PWD/models" -- 'touch /data/x && rm /data/x' || die "the owner of the repository cannot use models"

# One service, by MOUNTS.
chmod 700 models
expect 0 mk check-mounts MOUNTS=server -n
says "check server"
rm -r models/* runs/*
chmod 755 models
expect 2 mk undo-mounts
expect 0 mk undo-mounts YES=1
rmdir models runs 2>/dev/null || true
snapshot . | diff "$engine/before" - >&2 || die "undo left something"
