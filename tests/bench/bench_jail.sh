#!/usr/bin/env bash
# What the jail costs a run: tests/bench/bench_jail.sh [ROUNDS]. All of it together shall be at most 2 ms.
set -eu

top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bindright-jail.XXXXXX")
trap 'rm -rf "$work"' EXIT

[ "$(id -u)" = 0 ] || {
	echo "the jail: left out: needs root" >&2
	exit 0
}
${CC:-cc} -std=gnu17 -O2 -D_GNU_SOURCE -I"$top/src" "$top/tests/bench/jail_bench.c" "$top/libbindright.a" -lseccomp -pthread -o "$work/jail_bench"
echo "The jail, with $(wc -l </proc/self/mountinfo) mounts on this machine:"
"$work/jail_bench" "$work" "${1:-200}"
