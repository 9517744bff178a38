#!/usr/bin/env bash
# Measure beside the tools that do part of the work: tests/bench/bench.sh [INODES [ROUNDS]]
#
# Only ratios count: all commands of a table run in turn on the same tree, ROUNDS times (3); printed are the medians of the wall clock and of
# user + system time, and the ratio of the former to the table's first row; below them ratios that have a target, by the clock and by processor
# time, with what the former is to be at most. Targets are meant for two quiet processors. On a machine with other work the clock says little; the ratio
# by processor time does: with both processors busy, it is about twice the clock's beside a command of one thread. The load average stands at the end.
# BENCH_RUN stands before each command that is measured: "chrt -r 1" gives it the processors for itself, as root.
# INODES is 100000 by default; BENCH_DIR says where (TMPDIR, else /tmp). BENCH_COLD=1, as root: also with cold caches, which drops those of the whole machine.
# What a command needs and does not find leaves its row out, with a note. The tables that change owners need root.
# As root, the journals go to a directory of its own, in a mount namespace of its own; before each command what others wrote is on the disk.
set -u -o pipefail

if [ "$(id -u)" = 0 ] && [ -z "${BENCH_INSIDE:-}" ]; then
	export BENCH_INSIDE=1
	exec unshare --mount --propagation private bash "$0" "$@"
fi

inodes=${1:-100000}
rounds=${2:-3}
top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bindright=${BINDRIGHT:-$top/bindright}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bindright-bench.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export LC_ALL=C
if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 "$work/state"
	[ -d /var/lib/bindright ] || mkdir -m 700 /var/lib/bindright
	mount --bind "$work/state" /var/lib/bindright || exit 3
	trap 'umount /var/lib/bindright; rm -rf "$work"' EXIT
fi

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
declare -A walls cpus
# row LABEL PREPARE COMMAND: a row of the next table; PREPARE is not measured ("" for none). Both are for bash.
row() {
	labels+=("$1")
	prepares+=("$2")
	commands+=("$3")
}

# at_most LIMIT A B [C]: the ratio of the row A (less the row C) to the row B, both measured since this tree was made.
at_most() {
	local a=$2 b=$3 less=${4:-}
	walls[none]=0 cpus[none]=0
	[ -n "${walls[$a]:-}" ] && [ -n "${walls[$b]:-}" ] && { [ -z "$less" ] || [ -n "${walls[$less]:-}" ]; } || return 0
	awk -v l="  $a${less:+, less $less} / $b" -v w="${walls[$a]}" -v c="${cpus[$a]}" -v bw="${walls[$b]}" -v bc="${cpus[$b]}" \
		-v lw="${walls[${less:-none}]}" -v lc="${cpus[${less:-none}]}" -v t="$1" 'BEGIN {
		r = bw > 0 ? (w - lw) / bw : 0
		rc = bc > 0 ? (c - lc) / bc : 0
		printf "%-66s %5.2f (cpu %5.2f), at most %s%s\n", l, r, rc, t, (r > t ? ": missed" : "")
	}'
}

# One run: appends "wall cpu" to the row's file; false where the command did not do its work.
measure() {
	local i=$1 TIMEFORMAT='%R %U %S' rc=0
	if [ -n "${prepares[$i]}" ]; then
		bash -c "${prepares[$i]}" >"$work/out" 2>&1 || return
		sync -f "$work"
	fi
	{ time bash -c "exec ${BENCH_RUN:-} ${commands[$i]}" >"$work/out" 2>"$work/err" </dev/null; } 2>"$work/time" || rc=$?
	[ "$rc" = 0 ] || return
	awk '{ print $1, $2 + $3 }' "$work/time" >>"$work/row.$i"
}

table() {
	local i round wall cpu base=
	printf '\n%s\n%-44s %8s %8s %7s\n' "$1" '' 'wall s' 'cpu s' 'ratio'
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
		walls[${labels[$i]}]=$wall
		cpus[${labels[$i]}]=$cpu
		awk -v l="${labels[$i]}" -v w="$wall" -v c="$cpu" -v b="$base" 'BEGIN {
			r = b > 0 ? w / b : 0
			printf "%-44s %8.3f %8.3f %7.2f\n", l, w, c, r
		}'
	done
	labels=() prepares=() commands=()
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

# Our program on the tree for these users: ours "COMMAND OPTIONS" USER[:GROUP]...
ours() {
	local command=$1 user
	local file=$work/compose.${*:2}.yaml
	file=${file// /+}
	shift
	echo 'services:' >"$file"
	for user; do
		[ "$user" != "${user%:*}" ] || user=$user:$user
		printf '  app%s: {image: example/none, user: "%s", volumes: ["%s:/data"]}\n' "${user/:/-}" "$user" "$tree" >>"$file"
	done
	echo "'$bindright' $command -f '$file'"
}

# Peak resident memory of a command, its children among them, where GNU time is there: peak LABEL COMMAND [PREPARE]
peak() {
	local kib
	have /usr/bin/time || return
	[ -z "${3:-}" ] || bash -c "$3"
	/usr/bin/time -f '%M' -o "$work/peak" bash -c "exec $2" >/dev/null 2>&1 </dev/null
	kib=$(tail -1 "$work/peak")
	printf '  %s: %s KiB resident, at most 32768%s\n' "$1" "$kib" "$([ "$kib" -le 32768 ] || echo ': missed')"
}

reading() {
	local check="bindright check" name="Reading: $1, nothing to do (ratio to find)"
	row "find ! -uid" '' "find '$tree' ! -uid $uid"
	row "scan, $(nproc) threads" '' "'$work/scan_bench' '$tree' $uid"
	row "scan, 1 thread" '' "'$work/scan_bench' '$tree' $uid 1"
	row "scan with every ACL" '' "'$work/scan_bench' '$tree' $uid 0 acl"
	! have bfs || row "bfs ! -uid" '' "bfs '$tree' ! -uid $uid"
	if knows check "$check"; then
		row "$check" '' "$(ours 'check -q' "$uid")"
		row "$check, three demands" '' "$(ours 'check -q' "$uid" "$uid:$((uid + 10))" "$uid:$((uid + 20))")"
	fi
	[ "$(id -u)" != 0 ] || row "chown -R, nothing to do" '' "chown -R -h $uid:$uid '$tree'"
	table "$name"
	at_most 0.55 "$check" "find ! -uid"
	at_most 0.80 "$check" "bfs ! -uid"
	at_most 0.32 "$check" "chown -R, nothing to do"
	at_most 1.15 "$check, three demands" "$check"
	peak scan "'$work/scan_bench' '$tree' $uid"
	[ ! -x "$bindright" ] || peak "$check" "$(ours 'check -q' "$uid")"
}

# Every inode has an ACL, and only that says who may do what.
reading_acls() {
	local check="bindright check, every ACL"
	setfacl -R -m "u:$other:rwX" "$tree" || return
	row "getfacl -R -n" '' "getfacl -R -n '$tree'"
	row "setfacl -R -m, nothing to do" '' "setfacl -R -m u:$other:rwX '$tree'"
	! knows check "$check" || row "$check" '' "$(ours 'check -q' "$other")"
	table "Reading: $1, an ACL entry everywhere (ratio to getfacl)"
	at_most 0.38 "$check" "getfacl -R -n"
	at_most 0.42 "$check" "setfacl -R -m, nothing to do"
	setfacl -R -b "$tree"
}

changing() {
	local all="chown -R -h 0:0 '$tree'" none="setfacl -R -b '$tree'" fix acl some
	fix=$(ours 'fix -q -y --strategy chown' "$uid")
	acl=$(ours 'fix -q -y --strategy acl' "$other")
	knows fix "bindright fix" || return 0
	row "chown -R" "$all" "chown -R -h $uid:$uid '$tree'"
	row "bindright fix" "$all" "$fix"
	! knows undo "bindright undo" || row "bindright undo" "$all && $fix" "'$bindright' undo -q -y"
	table "Changing: $1, every owner differs (ratio to chown -R)"
	at_most 2.2 "bindright fix" "chown -R"
	at_most 1.7 "bindright fix" "chown -R" "bindright check"
	at_most 1.1 "bindright undo" "bindright fix"
	peak "bindright fix" "$fix" "$all"
	some="chown -R -h $uid:$uid '$tree' && find '$tree' -type f | awk 'NR % 100 == 1' | xargs -r chown 0:0"
	row "chown -R, 1 %" "$some" "chown -R -h $uid:$uid '$tree'"
	row "bindright fix, 1 %" "$some" "$fix"
	table "Changing: $1, about 1 % differ (ratio to chown -R)"
	at_most 0.45 "bindright fix, 1 %" "chown -R, 1 %"
	chown -R -h "$uid:$uid" "$tree"
	row "bindright check" '' "$(ours 'check -q' "$uid")"
	row "bindright fix, nothing to do" '' "$fix"
	table "Changing: $1, nothing to do (ratio to check)"
	at_most 1.05 "bindright fix, nothing to do" "bindright check"
	have setfacl || return 0
	row "setfacl -R -m" "$none" "setfacl -R -m u:$other:rwX '$tree'"
	row "bindright fix --strategy acl" "$none" "$acl"
	! knows undo "bindright undo" || row "bindright undo of ACLs" "$none && $acl" "'$bindright' undo -q -y"
	table "Changing: $1, a new ACL entry everywhere (ratio to setfacl -R)"
	at_most 0.8 "bindright fix --strategy acl" "setfacl -R -m"
	at_most 1.1 "bindright undo of ACLs" "bindright fix --strategy acl"
	setfacl -R -b "$tree"
}

cold() {
	local drop='sync && echo 3 >/proc/sys/vm/drop_caches'
	row "find, cold" "$drop" "find '$tree' ! -uid $uid"
	! have bfs || row "bfs -j2, cold" "$drop" "bfs -j2 '$tree' ! -uid $uid"
	! knows check "bindright check" || row "bindright check, cold" "$drop" "$(ours 'check -q' "$uid")"
	table "Cold caches: $1 (ratio to find)"
	at_most 0.45 "bindright check, cold" "find, cold"
	at_most 0.95 "bindright check, cold" "bfs -j2, cold"
}

# A tree a hundredth as large beside this one: what an inode costs must not grow. The start of the program is taken off.
growing() {
	local whole=$tree n=$((inodes / 100)) i
	local small=$work/small tiny=$work/tiny
	[ "$n" -ge 1000 ] && knows check "bindright check" || return 0
	"$work/mktree" "$small" "$n" "$uid" "$shape" && "$work/mktree" "$tiny" 1 "$uid" "$shape" || return
	tree=$small
	for i in 1 2 3 4 5; do
		row "small, $i" '' "$(ours 'check -q' "$uid")"
	done
	tree=$tiny
	row "one inode" '' "$(ours 'check -q' "$uid")"
	tree=$whole
	row "whole" '' "$(ours 'check -q' "$uid")"
	table "Growing: $1 beside $n (bindright check)"
	awk -v n="$n" -v w="${cpus[whole]}" -v t="${cpus[one inode]}" -v m="$inodes" \
		-v a="${cpus[small, 1]}" -v b="${cpus[small, 2]}" -v c="${cpus[small, 3]}" -v d="${cpus[small, 4]}" -v e="${cpus[small, 5]}" 'BEGIN {
		small = ((a + b + c + d + e) / 5 - t) / n
		whole = (w - t) / m
		r = small > 0 ? whole / small : 0
		printf "  processor time an inode: %.2f beside %.2f microseconds: %.2f, at most 1.2%s\n", whole * 1e6, small * 1e6, r, (r > 1.2 ? ": missed" : "")
	}'
	rm -rf "$small" "$tiny"
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
	rounds=$((rounds * 5)) table "Starting: 20 services (at most 0.005 s)"
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
	walls=() cpus=()
	reading "$shape, $inodes inodes"
	if [ "$(id -u)" = 0 ]; then
		! have setfacl || ! have getfacl || reading_acls "$shape, $inodes inodes"
		changing "$shape, $inodes inodes"
		[ -z "${BENCH_COLD:-}" ] || cold "$shape, $inodes inodes"
	else
		note "changing owners and ACLs: left out: needs root"
	fi
	[ "$shape" != wide ] || growing "$shape, $inodes inodes"
	rm -rf "$tree"
done
printf '\nload average: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
