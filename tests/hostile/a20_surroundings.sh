#!/usr/bin/env bash
# A20, A22: limits, descriptors and signals that whoever starts it has chosen: it says what it did, and undo puts that back.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 a b c d/e d/{1..40}
mkdir -p data/x/y/z/1/2/3/4/5/6/7/8/9 && chown -R 7001:7001 data/x
keep data
# Files may not grow: no room for a journal, and no death by SIGXFSZ.
want 3 prlimit --fsize=4096 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'no room for the journal'
kept
want 0 "$BINDRIGHT" history
silent unfinished
# Too few descriptors: whatever comes of it is told. At some number it works.
for n in 9 11 12 13 14 15 16 18 20 32; do
	prlimit --nofile=$n "$BINDRIGHT" fix --yes --sysroot $T --strategy chown >$T/out 2>&1 </dev/null && works=$n || {
		says 'Too many open files'
		works=
	}
	"$BINDRIGHT" undo --yes >$T/undone 2>&1 </dev/null || die "undo after $n descriptors: $(cat $T/undone)"
	kept
done
[ -n "$works" ] || die "32 descriptors do not do"
# Ends of children are ignored by whoever started it.
want 0 env --ignore-signal=CHLD "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
want 0 env --ignore-signal=CHLD "$BINDRIGHT" undo --yes
kept
# A filter that answers EPERM to what it does not know.
meddled close_range:1 1 0 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
belong 1001 data/a data/x/y/z/1/2
want 0 undo
kept
# No descriptors 0 to 2, and a disk that is full: nobody hears the report, but the error says what it did.
"$BINDRIGHT" fix --yes --sysroot $T --strategy chown <&- >&- 2>&- || die "ends with $? without descriptors"
belong 1001 data/a
want 0 undo
kept
for format in json ndjson sarif github; do
	for to in "-o $T/no/such" "-o /dev/full"; do
		want 3 fix --strategy chown --format $format $to
		says 'cannot write' 'changed all the same' 'bindright undo'
		belong 1001 data/a
		want 3 undo $to
		says 'cannot write' 'put back all the same'
		kept
	done
done
# What comes after the changes fails, or is stopped.
compose 'volumes: ["./data:/data", "./new:/new"]'
meddled openat2:100000 : 98 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
calls=$(sed -n 's/^meddle: openat2 was called \([0-9]*\) times only$/\1/p' $T/out)
want 0 undo
kept
for what in 5 "pkill -INT -P \$PPID -x bindright"; do
	meddled openat2:$((calls - 2))~ "$what" 3 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
	says 'changed all the same' 'bindright undo'
	belong 1001 data/a new
	want 0 undo
	kept
done
# So many sources that there are no descriptors for the jail: then there is no work without it. But there may be more than at first.
mkdir many
{
	printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n    volumes:\n'
	for i in {1..60}; do
		mkdir many/$i
		echo "      - ./many/$i:/many/$i"
	done
} >compose.yaml
chown 7001:7001 many many/*
keep many
if "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown --require-jail >$T/out 2>&1; then
	want 0 undo
	kept
	want 3 prlimit --nofile=100:100 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
	says 'the mount jail cannot be had' 'Too many open files'
	kept
else
	says 'the mount jail cannot be had'
fi
want 0 prlimit --nofile=100:4096 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
belong 1001 many/60
want 0 undo
kept
