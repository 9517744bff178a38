#!/usr/bin/env bash
# A sticky directory: it can write, but not delete what belongs to others.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && chmod 1777 data && touch data/theirs data/mine && chmod 666 data/theirs && chown 1001:1001 data/mine
golden 0 bindright check --sysroot "$T"
done_golden
