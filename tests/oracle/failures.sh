#!/usr/bin/env bash
# The program as a whole, with each call that changes something failing from the n-th time on, for every n, with each error: fix,
# fix --plan, reclaim and undo, in the jail. Whatever they say, undo puts back everything. (BR_FAILURES: errors.)
# time limit: 7200
# shellcheck disable=SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck disable=SC2034 # for lib.sh
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make prove}/tests/hostile/lib.sh" || exit 1

printf 'bob:x:7002:7002::/:/bin/sh\n' >>$T/etc/passwd
tree 7001 a b d/e
chmod 600 data/b && chmod 2770 data/d && setfacl -m u:7300:rx data/a
compose 'volumes: ["./data:/data", "./data/new:/new"]'
keep data
"$BINDRIGHT" plan --sysroot $T --strategy chown --format json -o "$T/plan" >"$T/out" 2>&1 || [ $? = 1 ] || die "plan"
meddle=$BR_BUILD/tests/hostile/meddle
runs=0
# broken CALL:N ERROR COMMAND...: false where the call did not come so often. It may fail, but in an orderly way.
broken() {
	local got=0
	"$meddle" "$@" >"$T/out" 2>&1 </dev/null || got=$?
	case $got in
	0 | 1 | 3) runs=$((runs + 1)) ;;
	98) return 1 ;;
	*) die "exit status $got: $*" ;;
	esac
}
put_back() {
	want 0 undo
	[ ! -e data/new ] || die "a directory was left behind"
	kept
	rm -rf "$T"/state/runs/*
}
each() {
	local error call n
	# EPERM, EIO, ENOMEM, ENOSPC, EROFS, EDQUOT
	for error in ${BR_FAILURES:-1 5 12 28 30 122}; do
		for call in pwrite64 fdatasync fsync fchownat fchmodat2 setxattrat removexattrat mkdirat renameat2 unlinkat; do
			for ((n = 1; ; n++)); do
				"$1" $call:$n $error || break
			done
			put_back
		done
	done
}
by_fix() { broken "$1" "$2" "$BINDRIGHT" fix -q --yes --require-jail --sysroot $T --strategy chown && put_back; }
by_plan() { broken "$1" "$2" "$BINDRIGHT" fix -q --yes --require-jail --plan "$T/plan" && put_back; }
by_undo() {
	want 0 fix -q --strategy chown
	broken "$1" "$2" "$BINDRIGHT" undo --yes --require-jail && put_back
}
by_reclaim() { broken "$1" "$2" "$BINDRIGHT" reclaim -q --yes --require-jail --sysroot $T --keep bob --from 7001 && put_back; }
# Whole, each of them does something.
by() { "$BINDRIGHT" "$@" >"$T/out" 2>&1 </dev/null || [ $? = 1 ] || die "$*"; }
by fix -q --yes --plan "$T/plan"
belong 1001 data/a
put_back
by reclaim -q --yes --sysroot $T --keep bob --from 7001
belong 7002 data/a
put_back
for how in by_fix by_plan by_undo by_reclaim; do
	each $how
	echo "$how: $runs runs so far"
done
