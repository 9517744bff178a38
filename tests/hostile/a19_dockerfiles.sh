#!/usr/bin/env bash
# A19: a Dockerfile is not executed, and what it does not say is not guessed.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir data app
printf 'services:\n  app:\n    build: ./app\n    volumes: ["./data:/data"]\n' >compose.yaml
keep data
# dockerfile LINES: nobody knows who that is, so nobody is given anything.
unknown() {
	printf '%b' "$1" >app/Dockerfile
	"$BINDRIGHT" fix --yes --sysroot $T >$T/out 2>&1 </dev/null || true
	kept
	[ ! -e pwned ] && [ ! -e app/pwned ] || die "something was executed"
}
unknown 'FROM scratch\nARG WHO\nUSER ${WHO}x${NOTHING}\n'
unknown 'FROM scratch\nUSER $(touch pwned)\n'
unknown 'FROM scratch\nRUN touch pwned\nUSER app\n'
unknown '# syntax=evil/frontend\nFROM scratch\nUSER 1001\n'
unknown 'FROM nobody/knows:this\n'
unknown 'FROM scratch\nUSER 4294968297\n'
unknown "FROM scratch\nARG A=\${A}\${A}\${A}\${A}\n$(for _ in $(seq 60); do printf 'ARG A=${A}${A}${A}x\\n'; done)USER \${A}\n"
python3 -c 'print("FROM scratch\nUSER " + "${A:-" * 10000 + "}" * 10000)' >app/Dockerfile
timeout 20 "$BINDRIGHT" fix --yes --sysroot $T >$T/out 2>&1 </dev/null || [ $? != 124 ] || die "hangs"
kept
# A path of 400,000 directories costs no memory for each. No sanitizer lives with that little.
frugal() { (
	[ -n "${BR_SAN:-}" ] || ulimit -v 1000000
	timeout 20 "$BINDRIGHT" plan --sysroot $T
); }
python3 -c 'print("FROM scratch\nRUN mkdir -p /" + "a/" * 400000 + "\nUSER 1001")' >app/Dockerfile
want 1 frugal
silent 'out of memory'
kept
# Nor is any other that takes minutes, or all memory: it is followed, or it is said that it takes too much.
# follow TEXT: a Python expression for a Dockerfile of at most a mebibyte.
follow() {
	python3 -c "print(('FROM scratch\n' + $1)[:(1 << 20) - 1])" >app/Dockerfile
	frugal >$T/out 2>&1 </dev/null || [ $? -le 2 ] || die "hangs, or crashes: $1"
	silent 'out of memory'
	kept
}
follow '"ENTRYPOINT " + "a " * 500000'
follow '"RUN " + "$a" * 500000'
follow '"RUN " + "cd a;" * 200000'
follow '"".join("WORKDIR " + "a" * 45 + "\n" for i in range(19000))'
follow '"RUN a=x;" + "a=$a$a;" * 140000'
says 'takes more than'
follow '"ENV A=" + "x" * 4000 + "\nRUN " + "$A" * 500000'
says 'takes more than'
follow '"ENV A=${" + "N" * 400000 + "?}\nENV " + "B=$A " * 120000'
printf 'services:\n' >many.yaml
for i in $(seq 400); do printf '  a%d: {build: ./app, volumes: ["./data:/data"]}\n' "$i"; done >>many.yaml
python3 -c 'print("FROM scratch\nENTRYPOINT " + "a " * 500000)' >app/Dockerfile
want 2 timeout 60 "$BINDRIGHT" plan --sysroot $T -f many.yaml
says 'takes more than'
kept
# Something that is no file.
rm app/Dockerfile && mkfifo app/Dockerfile
timeout 20 "$BINDRIGHT" fix --yes --sysroot $T >$T/out 2>&1 </dev/null || [ $? != 124 ] || die "hangs on a FIFO"
kept
# The control: one that says it is believed.
rm app/Dockerfile && printf 'FROM scratch\nARG WHO=1001\nUSER ${WHO}\n' >app/Dockerfile
want 0 fix -q
owned 1001:0:755 data
