#!/usr/bin/env bash
# What lies inside is counted: whose it is, the first few, and what lies below directories that cannot be entered.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/a/b data/closed/deep
for i in 1 2 3 4 5; do touch "data/a/f$i"; done
touch data/closed/x data/closed/deep/y data/mine
chown -R 1001:1001 data
chown 0:0 data/a/f1 data/a/f2
chown 7001:7001 data/a/f3 data/a/f4
chown 0:0 data/closed && chmod 700 data/closed
golden 1 bindright check --sysroot "$T"
golden 0 bindright check --sysroot "$T" --exclude 'a/**' --exclude closed
golden 1 bindright check --sysroot "$T" --depth 1
done_golden
