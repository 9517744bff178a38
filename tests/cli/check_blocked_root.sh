#!/usr/bin/env bash
# A directory of somebody else: each kind of access that is missing is a finding of its own, with the deciding facts.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data
chown 7001:7002 data
chmod 755 data
golden 1 bindright check --sysroot "$T"
chmod 700 data
golden 1 bindright check --sysroot "$T"
chown 1001:7002 data
chmod 077 data
golden 1 bindright check --sysroot "$T"
chown 7001:1001 data
chmod 707 data
golden 1 bindright check --sysroot "$T"
done_golden
