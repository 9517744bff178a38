#!/usr/bin/env bash
# What the jail costs a run: tests/bench/bench_jail.sh [ROUNDS]. All of it together shall be at most 2 ms, with 1,000 mounts too.
set -eu

top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bindright-jail.XXXXXX")
trap 'rm -rf "$work"' EXIT

[ "$(id -u)" = 0 ] || {
	echo "the jail: left out: needs root" >&2
	exit 0
}
${CC:-cc} -std=gnu17 -O2 -D_GNU_SOURCE -I"$top/src" "$top/tests/bench/jail_bench.c" "$top/libbindright.a" -lseccomp -pthread -o "$work/jail_bench"
measure() {
	echo "The jail, with $(wc -l </proc/self/mountinfo) mounts:"
	"$work/jail_bench" "$work" "$1"
}
# A thousand more: the jail is a copy of the mount table, which the kernel makes and takes apart mount by mount. Under load the latter also waits
# for its turn (an RCU grace period): on an idle machine, or before all others (chrt -f 50), it is a few tenths of a millisecond.
more() {
	mkdir "$work/m"
	mount -t tmpfs bench "$work/m"
	for i in {1..1000}; do
		mkdir "$work/m/$i"
		mount -t tmpfs bench "$work/m/$i"
	done
	measure "$1"
	umount -l "$work/m"
}
measure "${1:-200}"
export -f measure more
export work
# shellcheck disable=SC2016 # for that shell
unshare --mount --propagation private bash -c 'more "$1"' _ "${1:-200}"
