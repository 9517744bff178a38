#!/usr/bin/env bash
# A file as source.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./a.conf:/etc/a.conf"]'
echo x >a.conf && chown 7001:7001 a.conf && chmod 600 a.conf
golden 1 bindright check --sysroot "$T"
chmod 644 a.conf
golden 1 bindright check --sysroot "$T"
chmod 666 a.conf
golden 0 bindright check --sysroot "$T"
done_golden
