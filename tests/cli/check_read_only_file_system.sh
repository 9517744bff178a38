#!/usr/bin/env bash
# A host mount that is read-only.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data", "./data/new:/new"]'
mkdir data
mount -t tmpfs none data && chown 1001:1001 data && mount -o remount,ro data
golden 1 bindright check --sysroot "$T"
done_golden
