#!/usr/bin/env bash
# A mount point inside a source is told, not entered, unless asked for.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/inner other && touch other/f && chown -R 1001:1001 data other
chown 0:0 other/f
mount --bind other data/inner
golden 1 bindright check --sysroot "$T"
golden 1 bindright check --sysroot "$T" --cross-file-systems
done_golden
