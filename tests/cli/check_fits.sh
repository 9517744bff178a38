#!/usr/bin/env bash
# What fits is said in one line, and the exit status is 0; -v shows every mount.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && touch data/f && chown -R 1001:1001 data
golden 0 bindright check -v --sysroot "$T"
golden 0 bindright
done_golden
