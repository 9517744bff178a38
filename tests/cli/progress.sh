#!/usr/bin/env bash
# --progress: a line about how far it is, on standard error, and nothing of it in what a program reads.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

[ "$(id -u)" = 0 ] || skip "needs root"
compose 'volumes: ["./data:/data"]'
mkdir data && (cd data && seq 40000 | xargs touch && chown -R 7001:7001 .)
# told STATUS LINE... -- COMMAND...: it says these, one over the other, and wipes the last one out.
told() {
	local status=$1 lines=() got=0 line
	shift
	while [ "$1" != -- ]; do lines+=("$1") && shift; done
	shift
	"$BINDRIGHT" "$@" >report 2>said </dev/null || got=$?
	[ "$got" = "$status" ] || die "exit status $got: $* ($(cat said))"
	for line in "${lines[@]}"; do
		tr '\r' '\n' <said | grep -qE "^$line\$" || die "$* does not say '$line': $(tail -c 300 said)"
	done
	[ ${#lines[@]} = 0 ] || tail -c 4 said | cmp -s - <(printf '\r\033[K') || grep -q $'\r\033\[K' said || die "the line stays: $*"
	! grep -q $'\r' report || die "in the report: $*"
}
quiet() {
	"$BINDRIGHT" "$@" >report 2>said </dev/null || true
	! grep -q $'\r' said || die "$* tells"
}
told 1 '16384 looked at' '32768 looked at' -- check --progress always --sysroot "$T"
quiet check --sysroot "$T"
quiet check --progress never --sysroot "$T"
told 0 '16384 looked at' '[0-9]+ changed' -- fix --yes --progress always --sysroot "$T" --strategy chown --format json -o report.json
python3 -c 'import json; json.load(open("report.json"))'
told 0 '[0-9]+ put back' -- undo --yes --progress always
quiet fix -q --yes --sysroot "$T" --strategy chown
quiet undo --yes
