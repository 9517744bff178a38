#!/usr/bin/env bash
# A finding that the input says not to report, with its reason; -v shows it.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir data && chown 7001:7001 data
compose 'volumes: ["./data:/data"]' 'x-bindright: {ignore: [BR301, {code: BR101, reason: "read only in practice", target: /data}]}'
golden 0 bindright check --sysroot "$T"
golden 0 bindright check --sysroot "$T" -v
golden 0 bindright check --sysroot "$T" --format json
done_golden
