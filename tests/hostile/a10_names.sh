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

# Long ones: both ends, and what is missing between them; in what is not for reading they are whole.
# shorter NAME: its beginning and its end are there, and it is whole only in what is to be typed.
typed='^ *(\$ |try: |to include|this inode: )'
shorter() {
	local name
	for name; do
		LC_ALL=C grep -qF -- "${name:0:60}" $T/out && LC_ALL=C grep -qF -- "${name: -60}" $T/out || die "it is not there: ${name:0:40}"
		if grep -avE "$typed" $T/out | grep -aqF -- "$name"; then die "it is there as a whole: ${name:0:40}"; fi
	done
	grep -avE "$typed" $T/out | awk 'length > 700 { exit 1 }' || die "a line is too long"
	iconv -f UTF-8 -t UTF-8 $T/out >/dev/null || die "a character was cut in two"
}
rm -rf data
mkdir data
long() { python3 -c 'import sys; print(sys.argv[1] * int(sys.argv[2]), end="")' "$@"; }
deep=$(long dddddddddd/ 30)
accents=$(long "$(printf '\303\274')" 125)
wide=$(long "$(printf '\346\274\242')" 85)
mkdir -p "data/$deep" "data/$accents/$accents/$accents" "data/${wide}/${wide}" "data/$(long "$(printf '\033')" 200)"
touch "data/${deep}file-at-the-end" "data/$accents/$accents/$accents/file" "data/$wide/$wide/file"
# Deeper than any path that a system call takes.
(cd data && for _ in $(seq 500); do mkdir pppppppppp && cd ./pppppppppp || exit 1; done && touch bottom)
chown -R 7007:7007 data
compose "volumes: [\"./data/${deep}:/$(long 'target-of-it/' 40)end\", \"./data/$accents/$accents/$accents:/a\", \"./data/$wide/$wide:/w\", \"./data:/data\", \"./$(long nowhere/ 50):/n\"]"
mount_of="${deep%/}"
for command in 'check -v' 'plan -v' 'inspect'; do
	want any "$BINDRIGHT" $command --sysroot $T
	harmless "$command"
	shorter "$T/work/data/$mount_of" "$T/work/data/$accents/$accents/$accents" "$T/work/data/$wide/$wide"
	says 'bytes-left-out}'
done
want any "$BINDRIGHT" explain --as 1001:1001 "data/${deep}file-at-the-end" --sysroot $T
shorter "$T/work/data/${deep}file-at-the-end"
# In an error.
want 2 "$BINDRIGHT" check -f "$(long no-such/ 50)file.yaml"
shorter "$(long no-such/ 50)file.yaml"
for format in json ndjson sarif github; do
	want any "$BINDRIGHT" check --sysroot $T --format $format
	harmless "check --format $format"
	silent 'bytes-left out}'
	says "/$(long nowhere/ 49)nowhere"
done
# What is there to be typed is whole.
want 1 "$BINDRIGHT" plan --sysroot $T --from 7007
shorter "$T/work/data/$mount_of" "$T/work/$(long nowhere/ 49)nowhere"
if grep -E "$typed" $T/out | grep -F 'left-out}'; then die "a command was cut"; fi
grep -E "$typed" $T/out | grep -qF -- "-- $T/work/$(long nowhere/ 49)nowhere" || die "the command does not have the whole path"
want any "$BINDRIGHT" fix --yes --sysroot $T --from 7007
harmless fix
says 'bytes-left-out}'
want any "$BINDRIGHT" undo --yes
harmless undo
belong 7007 "data/${deep}file-at-the-end"
# Where it is the only one there is.
compose "volumes: [\"./data/${deep}:/data\"]"
want 0 "$BINDRIGHT" fix --yes --sysroot $T --from 7007 -v
shorter "$T/work/data/$mount_of"
want 0 "$BINDRIGHT" history
shorter "$T/work/data/$mount_of"
chmod 640 "data/${deep}file-at-the-end"
want any "$BINDRIGHT" undo --yes
shorter "$T/work/data/${deep}file-at-the-end"
