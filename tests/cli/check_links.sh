#!/usr/bin/env bash
# Links: followed where they lead somewhere; dangling, looping and confused ones are errors.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./good:/good", "./dangling:/dangling", "./loop:/loop", "./file/below:/below"]'
mkdir real && chown 1001:1001 real
ln -s real good
ln -s nowhere dangling
ln -s loop loop
touch file
golden 1 bindright check --sysroot "$T"
done_golden
