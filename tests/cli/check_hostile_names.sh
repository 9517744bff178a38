#!/usr/bin/env bash
# Names cannot fool a terminal: control bytes are escaped wherever they come from.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir "$(printf 'd\033[2K\nOK')" data
touch "$(printf 'data/x\033]0;evil\a\xe2\x80\xae')"
chown 7001:7001 d*
chmod 755 d*
compose 'volumes: ["./data:/data", "./d\e[2K\nOK:/evil"]'
golden 1 bindright check --sysroot "$T"
if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$T/out" "$T/err"; then die "a control byte got through"; fi
done_golden
