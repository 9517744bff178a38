#!/usr/bin/env bash
# A10: a name cannot forge a line, in no report and in no journal's telling.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
# A line break, an escape sequence, a bidirectional override, bytes that are no UTF-8.
for name in 'a\033[2K\033[1A\rOK: 0 problems\nb' 'x\033]0;t\a' '\342\200\256gnp' '\377\376' ' ' '-rf' '$(touch pwned)'; do
	touch -- "data/$(printf %b "$name")"
done
chown 7001:7001 data/*
chown 7007:7007 data/[ax]*
harmless() {
	if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" $T/out; then die "a control byte got through: $*"; fi
	if grep -q "$(printf '\342\200\256')" $T/out; then die "an override got through: $*"; fi
	[ ! -e pwned ] || die "a name was executed"
}
for command in 'check' 'plan' 'fix --yes -v' 'undo --yes' 'history' 'plan --format json' 'check --format ndjson' 'check --format sarif' 'check --format github'; do
	sysroot="--sysroot $T"
	case $command in undo* | history*) sysroot= ;; esac
	# shellcheck disable=SC2086 # words
	"$BINDRIGHT" $command $sysroot >$T/out 2>&1 </dev/null || [ $? = 1 ] || die "$command"
	harmless "$command"
done
# One that is named in a message, not only among the examples.
mkdir -p "data/$(printf 'in\033[2Kner')/of" && chown -R 7007:7007 data/in*
compose 'volumes: ["./data:/data", "./no\e[2Kwhere:/there"]'
for format in text json ndjson sarif github; do
	want 1 "$BINDRIGHT" check --sysroot $T --format $format
	harmless "check --format $format"
	says 'where'
done
compose 'volumes: ["./data:/data"]'
meddled fdatasync:2+ 'chmod 666 data/*OK*' any "$BINDRIGHT" fix --yes --sysroot $T --from 7007
harmless fix
"$BINDRIGHT" check --sysroot $T --format ndjson >$T/out || true
python3 - $T/out <<'END'
import json
import sys
for line in open(sys.argv[1], encoding="utf-8"):
    json.loads(line)
END
