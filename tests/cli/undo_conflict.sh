#!/usr/bin/env bash
# What somebody else changed meanwhile is left alone, and said.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && touch data/a data/b data/c && chown -R 7001:7001 data
golden 0 bindright fix --sysroot "$T" --yes -q
chmod 600 data/a
rm data/b && touch data/b
golden 1 bindright undo --yes
golden 0 stat -c '%n %u:%g %a' data data/a data/b data/c
golden 3 bindright undo nonsense
golden 2 bindright undo one two
done_golden
