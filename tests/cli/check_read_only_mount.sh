#!/usr/bin/env bash
# A read-only mount needs reading only; --need asks for something else.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data:ro"]'
mkdir data && echo x >data/f && chown -R 7001:7001 data
golden 0 bindright check --sysroot "$T"
chmod 640 data/f
golden 1 bindright check --sysroot "$T" --need /data=r
golden 1 bindright check --sysroot "$T"
golden 2 bindright check --sysroot "$T" --need /dat=r
done_golden
