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

# What is made below another container's mount, or below a directory that is made for another one, serves both; directories on the way too.
rm -rf new && mkdir -m 750 there && chown 7001:7001 there
{
	printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./there/way/own:/o", "./new/b:/b"]\n'
	printf '  b:\n    image: x\n    user: "1002:1002"\n    volumes: ["./there:/t", "./new/b/c:/c"]\n'
	printf '  c:\n    image: x\n    user: "1002:1003"\n    volumes: ["./there:/t:ro"]\n'
} >compose.yaml
golden 0 bindright fix --sysroot "$T/work" --yes -q
golden 0 getfacl -n there there/way there/way/own new new/b new/b/c
golden 0 bindright undo --yes
golden 1 bindright plan --sysroot "$T/work" --future-files --keep alice
golden 0 bindright fix --sysroot "$T/work" --yes -q --future-files --keep alice
golden 0 getfacl -n there/way there/way/own
golden 0 bindright undo --yes
[ ! -e there/way ] || die "undo left something behind"
done_golden
