#!/usr/bin/env bash
# --files-from: the listed paths are judged, with the directories on the way to them, and nothing else is looked at.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data/a/b data/shut/in data/z 'data/a-b' other
touch data/a/f data/a/b/g data/shut/in/h data/z/i "data/a-b/j" data/$'new\nline' other/o outside
chown -R 1001:1001 data && chown 0:0 data/a/f data/z/i data/shut data/a-b/j data/$'new\nline' && chmod 700 data/shut && chmod 600 data/a/f
ln -s data by_link
compose 'volumes: ["./data:/data", "./other:/other:ro"]' 'x-bindright: {ignore: [BR301]}'
list() { printf '%s\n' "$@" >list; }
# All of it, for comparison.
golden 1 bindright check
# One that fits, one that does not, one below a directory that is shut, one that is in no mount, one that is not there.
list data/a/b/g outside data/none
golden 0 bindright check --files-from list
list data/a/f
golden 1 bindright check --files-from list
list "$PWD/data/shut/in/h"
golden 1 bindright check --files-from list --format json
list data/./a//b/../../z/i "$PWD/../work/data/a-b/j"
golden 1 bindright check --files-from list
# Nothing is listed: the sources themselves are judged.
: >list
golden 0 bindright check --files-from list
# By a mount that is itself below another one, and by a source that is a link.
compose 'volumes: ["./by_link:/data", "./data/z:/z"]' 'x-bindright: {ignore: [BR301]}'
list by_link/z/i data/a/f
golden 1 bindright check --files-from list
# NUL bytes between them, from standard input; a newline is a byte like others then.
compose 'volumes: ["./data:/data"]' 'x-bindright: {ignore: [BR301]}'
piped() { printf 'data/new\nline\0data/a/b/g\0' | bindright check --files-from - "$@"; }
golden 1 piped -0
golden 1 piped --null
golden 0 piped
golden 2 bindright check --files-from none
golden 2 bindright check --files-from data
golden 2 bindright fix --files-from list
golden 2 bindright check --files-from
done_golden
