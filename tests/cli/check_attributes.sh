#!/usr/bin/env bash
# chattr +i and +a stop everybody.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && touch data/f data/log && chown -R 1001:1001 data
chattr +i data/f 2>/dev/null || skip "needs a file system with attributes"
chattr +a data/log
golden 1 bindright check --sysroot "$T"
chattr +i data
golden 1 bindright check --sysroot "$T"
done_golden
