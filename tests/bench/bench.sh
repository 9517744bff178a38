#!/usr/bin/env bash
# Measure beside the tools that do part of the work: tests/bench/bench.sh [INODES [ROUNDS]]
#
# Only ratios count: all commands of a table run in turn on the same tree, ROUNDS times (3); printed are the medians of the wall clock and of
# user + system time, the ratio of the former to the table's first row, and what that ratio is to be at most. On a machine with other work the
# clock says little; processor time does, and is half the clock's where two processors are kept busy. INODES is 100000 by default; BENCH_DIR says where (TMPDIR, else /tmp).
# What a command needs and does not find leaves its row out, with a note. The tables that change owners need root.
# As root, `fix` writes its journals where it always does; they are small and `bindright history` lists them.
set -u -o pipefail

inodes=${1:-100000}
rounds=${2:-3}
top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bindright=${BINDRIGHT:-$top/bindright}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bindright-bench.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export LC_ALL=C

note() {
	printf '  (%s)\n' "$*"
}

build() {
	local libs
	libs=$(pkg-config --libs libfyaml libacl libcap jansson mount libseccomp) || return
	for name in mktree scan_bench; do
		# shellcheck disable=SC2086 # words, not one
		"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -pthread -I"$top/include" -I"$top/src" \
			"$top/tests/bench/$name.c" "$top/libbindright.a" -Wl,--as-needed $libs -o "$work/$name" || return
	done
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

labels=()
prepares=()
commands=()
targets=()
# row LABEL PREPARE COMMAND [TARGET]: a row of the next table; PREPARE is not measured ("" for none). Both are for bash.
row() {
	labels+=("$1")
	prepares+=("$2")
	commands+=("$3")
	targets+=("${4:-}")
}

# One run: appends "wall cpu" to the row's file; false where the command did not do its work.
measure() {
	local i=$1 TIMEFORMAT='%R %U %S' rc=0
	if [ -n "${prepares[$i]}" ]; then
		bash -c "${prepares[$i]}" >"$work/out" 2>&1 || return
	fi
	{ time bash -c "exec ${commands[$i]}" >"$work/out" 2>"$work/err" </dev/null; } 2>"$work/time" || rc=$?
	[ "$rc" = 0 ] || return
	awk '{ print $1, $2 + $3 }' "$work/time" >>"$work/row.$i"
}

table() {
	local i round wall cpu base=
	printf '\n%s\n%-44s %8s %8s %7s %9s\n' "$1" '' 'wall s' 'cpu s' 'ratio' 'at most'
	rm -f "$work"/row.* "$work"/failed.*
	for ((round = 0; round <= rounds; round++)); do
		for i in "${!labels[@]}"; do
			[ ! -e "$work/failed.$i" ] || continue
			measure "$i" || head -1 "$work/err" >"$work/failed.$i"
		done
		# The first round fills the caches.
		[ "$round" -gt 0 ] || rm -f "$work"/row.*
	done
	for i in "${!labels[@]}"; do
		if [ -e "$work/failed.$i" ]; then
			note "${labels[$i]}: left out: $(cut -c1-120 "$work/failed.$i")"
			continue
		fi
		wall=$(cut -d' ' -f1 "$work/row.$i" | median)
		cpu=$(cut -d' ' -f2 "$work/row.$i" | median)
		base=${base:-$wall}
		awk -v l="${labels[$i]}" -v w="$wall" -v c="$cpu" -v b="$base" -v t="${targets[$i]}" 'BEGIN {
			r = b > 0 ? w / b : 0
			printf "%-44s %8.3f %8.3f %7.2f %9s%s\n", l, w, c, r, t, (t != "" && r > t ? "  missed" : "")
		}'
	done
	labels=() prepares=() commands=() targets=()
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# Whether the program is there and has the command; $2 is the row that is left out otherwise.
knows() {
	[ ! -x "$bindright" ] || ! "$bindright" help "$1" >"$work/out" 2>&1 || return 0
	note "$2: left out: no program that knows '$1'"
	return 1
}

# Our program on the tree for user $2: ours "COMMAND OPTIONS" USER
ours() {
	local file=$work/compose.$2.yaml
	cat >"$file" <<-END
		services:
		  app:
		    image: example/none
		    user: "$2:$2"
		    volumes: ["$tree:/data"]
	END
	echo "'$bindright' $1 -f '$file'"
}

# Peak resident memory of a command, where GNU time is there.
peak() {
	have /usr/bin/time || return
	/usr/bin/time -f '%M' -o "$work/peak" bash -c "exec $2" >/dev/null 2>&1 </dev/null
	note "$1: at most $(tail -1 "$work/peak") KiB resident (32768 are the limit)"
}

reading() {
	row "find ! -uid" '' "find '$tree' ! -uid $uid"
	row "scan, $(nproc) threads" '' "'$work/scan_bench' '$tree' $uid"
	row "scan, 1 thread" '' "'$work/scan_bench' '$tree' $uid 1"
	row "scan with every ACL" '' "'$work/scan_bench' '$tree' $uid 0 acl"
	! have bfs || row "bfs ! -uid" '' "bfs '$tree' ! -uid $uid"
	! knows check "bindright check" || row "bindright check" '' "$(ours 'check -q' "$uid")" 0.55
	! have getfacl || row "getfacl -R -n" '' "getfacl -R -n '$tree'"
	table "Reading: $1, nothing to do (ratio to find)"
	peak scan "'$work/scan_bench' '$tree' $uid"
	[ ! -x "$bindright" ] || peak "bindright check" "$(ours 'check -q' "$uid")"
}

changing() {
	if [ "$(id -u)" != 0 ]; then
		note "changing owners and ACLs: left out: needs root"
		return
	fi
	local all="chown -R -h 0:0 '$tree'" none="setfacl -R -b '$tree'" fix some
	fix=$(ours 'fix -q -y --strategy chown' "$uid")
	row "chown -R" "$all" "chown -R -h $uid:$uid '$tree'"
	! knows fix "bindright fix" || row "bindright fix" "$all" "$fix" 2.2
	table "Changing: $1, every owner differs (ratio to chown -R)"
	! knows fix "bindright fix" || row "bindright fix" "$all" "$fix"
	! knows undo "bindright undo" || row "bindright undo" "$all && $fix" "'$bindright' undo -q -y" 1.1
	table "Undoing: $1, every owner differs (ratio to fix)"
	some="chown -R -h $uid:$uid '$tree' && find '$tree' -type f | awk 'NR % 100 == 1' | xargs -r chown 0:0"
	row "chown -R" "$some" "chown -R -h $uid:$uid '$tree'"
	! knows fix "bindright fix" || row "bindright fix" "$some" "$fix" 0.45
	table "Changing: $1, about 1 % differ (ratio to chown -R)"
	chown -R -h "$uid:$uid" "$tree"
	row "chown -R, nothing to do" '' "chown -R -h $uid:$uid '$tree'"
	! knows fix "bindright fix" || row "bindright fix, nothing to do" '' "$fix"
	table "Changing: $1, nothing to do (ratio to chown -R)"
	row "bindright check" '' "$(ours 'check -q' "$uid")"
	row "bindright fix" '' "$fix" 1.05
	table "Changing: $1, nothing to do (ratio to check)"
	have setfacl || return 0
	row "setfacl -R -m" "$none" "setfacl -R -m u:$other:rwX '$tree'"
	! knows fix "bindright fix --strategy acl" || row "bindright fix --strategy acl" "$none" \
		"$(ours 'fix -q -y --strategy acl' "$other")" 0.8
	table "Changing: $1, a new ACL entry everywhere (ratio to setfacl -R)"
}

# The program's own start: 20 services, no walk.
starting() {
	local i file=$work/services.yaml
	knows check "bindright check --depth 0" || return 0
	echo 'services:' >"$file"
	for ((i = 1; i <= 20; i++)); do
		mkdir "$work/service$i"
		chown "$uid:$uid" "$work/service$i" 2>/dev/null
		printf '  s%d: {image: example/none, user: "%d:%d", volumes: ["%s:/data"]}\n' "$i" "$uid" "$uid" "$work/service$i" >>"$file"
	done
	row "bindright check --depth 0" '' "'$bindright' check -q --depth 0 -f '$file'"
	table "Starting: 20 services (at most 0.005 s)"
}

uid=1001
other=1002
build || exit 3
starting
for shape in wide deep; do
	tree=$work/$shape
	"$work/mktree" "$tree" "$inodes" "$uid" "$shape" 2>"$work/err" || {
		# Without root the tree is ours.
		rm -rf "$tree"
		uid=$(id -u)
		"$work/mktree" "$tree" "$inodes" "$uid" "$shape" || exit 3
	}
	reading "$shape, $inodes inodes"
	changing "$shape, $inodes inodes"
	rm -rf "$tree"
done
