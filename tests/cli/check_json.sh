#!/usr/bin/env bash
# The report for programs is one object of the promised shape, whatever the names.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir data && touch "data/$(printf 'bad\xffname')" && chown -R 7001:7001 data
mkdir "$(printf 'b\xc3\xa4d')" && chown 7001:7001 b*
compose 'volumes: ["./data:/data", "./bäd:/b:ro"]'
golden 1 bindright check --sysroot "$T" --format json
golden 1 bindright plan --sysroot "$T" --format json
done_golden
