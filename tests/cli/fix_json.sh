#!/usr/bin/env bash
# The report of a fix for programs.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && touch data/f && chown -R 7001:7001 data
golden 0 bindright fix --sysroot "$T" --yes --format json
golden 0 bindright fix --sysroot "$T" --yes --format json
golden 0 bindright history --format json
golden 0 bindright undo --yes --format json
golden 0 bindright fix --sysroot "$T" --yes --format json -q
chmod 600 data/f
golden 1 bindright undo --yes --format json
done_golden
