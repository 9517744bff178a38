#!/usr/bin/env bash
# Where mount points are entered, one that is read-only is left alone, and the rest is changed.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data/frozen data/live frozen live
touch frozen/f live/f
chown -R 1000:1000 data live frozen
mount --bind frozen data/frozen && mount -o remount,ro,bind data/frozen
mount --bind live data/live
compose 'volumes: ["./data:/data"]'
golden 1 bindright fix -q --yes --cross-file-systems
golden 0 getfacl -n data data/live data/live/f data/frozen/f
golden 0 bindright undo --yes
getfacl -nR data | grep 1001 && die "not as before"
done_golden
