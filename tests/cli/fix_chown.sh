#!/usr/bin/env bash
# A directory of root's: the container's user becomes the owner.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/sub && touch data/f data/sub/g
golden 0 bindright fix --sysroot "$T" --yes
golden 0 stat -c '%n %u:%g %a' data data/f data/sub data/sub/g
golden 0 bindright undo --yes
golden 0 stat -c '%n %u:%g %a' data data/f data/sub data/sub/g
done_golden
