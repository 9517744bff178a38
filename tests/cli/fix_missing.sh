#!/usr/bin/env bash
# Missing directories are made for the container, with an entry for the kept user; parents are like their parent.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'alice:x:7001:7001::/home/alice:/bin/sh\n' >etc/passwd && chown 7001:7001 .
compose 'volumes: ["./new/data:/data", "./one.conf:/etc/one.conf"]'
golden 1 bindright fix --sysroot "$T/work" --yes
golden 0 getfacl -n new new/data
golden 0 bindright undo --yes
[ ! -e new ] || die "undo left something behind"
golden 1 bindright fix --sysroot "$T/work" --yes --no-create-missing
done_golden
