#!/usr/bin/env bash
# How many questions `explain --batch` answers: tests/bench/bench_batch.sh [QUERIES]
#
# On one core, by its processor time (user + system) and by the clock; 2,000 files, half of them with an ACL entry for somebody.
set -eu

queries=${1:-500000}
top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bindright=${BINDRIGHT:-$top/bindright}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bindright-batch.XXXXXX")
trap 'rm -rf "$work"' EXIT

mkdir "$work/t"
(cd "$work/t" && seq 2000 | sed 's/^/f/' | xargs touch && seq 1 2 1999 | sed 's/^/f/' | xargs setfacl -m u:1005:rw)
seq "$queries" | awk -v top="$work/t" '{
	printf "{\"path\": \"%s/f%d\", \"uid\": %d, \"gid\": 1001, \"groups\": [27, 100], \"capabilities\": [], \"need\": \"rw\", \"read_only\": false}\n", top, $1 % 2000 + 1, 1000 + $1 % 11
}' >"$work/queries"
for _ in 1 2 3; do
	TIMEFORMAT='%R %U %S'
	{ time taskset -c 0 "$bindright" explain --batch <"$work/queries" >"$work/answers"; } 2>"$work/time"
	[ "$(wc -l <"$work/answers")" = "$queries" ]
	awk -v n="$queries" '{ printf "%d queries: %d a second of processor time, %d by the clock\n", n, n / ($2 + $3), n / $1 }' "$work/time"
done
