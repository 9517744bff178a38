#!/usr/bin/env bash
# --fail-on, --fail-fast, -q and -qq.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir a b && chown 7001:7001 a b && chmod 777 b
compose 'volumes: ["./a:/a", "./b:/b"]'
golden 1 bindright check --sysroot "$T" -q
golden 1 bindright check --sysroot "$T" -qq
golden 1 bindright check --sysroot "$T" -q --fail-fast
chmod 777 a
golden 0 bindright check --sysroot "$T" -q
golden 1 bindright check --sysroot "$T" -q --fail-on warning
done_golden
