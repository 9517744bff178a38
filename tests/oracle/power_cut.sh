#!/usr/bin/env bash
# shellcheck disable=SC2015,SC2164 # the place is ours
# The power is cut at every flush of the disk while a fix and an undo are made, and with any part of what was written since: after
# each cut, undo puts back everything, so nothing was changed without a word of it on the disk; and what says that it was done, or undone,
# is so; and another fix goes on from there (--resume) to where the first would have come, a cut in the midst of which is no different.
# All of it in the jail. With the journal on the same file system, and on another part of the disk, where nothing else keeps the order.
# (BR_CUTS: parts for each flush; BR_CUT_FS: file systems, FS or FS/JOURNAL'S; BR_SEED: other parts.)
# time limit: 7200
set -u

skip() { echo "skip: $*"; exit 77; }
fail() { echo "FAILED on $INSIDE: $*" >&2; exit 1; }
if [ -z "${INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	for fs in ${BR_CUT_FS:-ext4 xfs btrfs ext4/ext4 xfs/ext4 btrfs/ext4}; do
		INSIDE=$fs unshare --mount --propagation private bash "$0" || exit
	done
	exit 0
fi
fs=${INSIDE%/*}
other=${INSIDE#"$fs"}
other=${other#/}
top=${BR_TOP:?run it with make prove}
flushlog=${BR_BUILD:?}/tests/oracle/flushlog
[ -x "$flushlog" ] || skip "needs libfuse3-dev"
meddle=$BR_BUILD/tests/hostile/meddle
cuts=${BR_CUTS:-5}
chance=${BR_SEED:-1}
work=$(mktemp -d /dev/shm/bindright-power-XXXXXX 2>/dev/null || mktemp -d)
T=/srv
var=$work/var
disk=
other_disk=
server=
clean_up() {
	cd /
	mountpoint -q /var/lib/bindright && umount -l /var/lib/bindright
	mountpoint -q "$var" && umount -l "$var"
	mountpoint -q $T && umount -l $T
	[ -z "$disk" ] || losetup -d "$disk" 2>/dev/null
	[ -z "$other_disk" ] || losetup -d "$other_disk" 2>/dev/null
	mountpoint -q "$work/fuse" && umount -l "$work/fuse"
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

facts() { (cd $T && python3 "$top/tests/hostile/facts.py" data); }
# attach DATA JOURNAL: two devices, or a file twice.
attach() {
	mount -o "$3" "$1" $T || return
	[ -z "$other" ] || mount -o "$4" "$2" "$var" || return
	mount --bind "$state" /var/lib/bindright
}
attach_file() { attach "$1" "$1" "loop,sizelimit=$size" "loop,offset=$size,sizelimit=$other_size"; }
detach() {
	umount /var/lib/bindright && umount $T && { [ -z "$other" ] || umount "$var"; }
}
# make_fs FS FILE SIZE
make_fs() {
	truncate -s "$3" "$2"
	case $1 in
	ext4) mkfs.ext4 -q -F "$2" ;;
	*) "mkfs.$1" -q "$2" >/dev/null ;;
	esac || skip "needs mkfs.$1"
}

# A disk with a tree.
mkdir "$work/fuse"
mkdir "$var"
case $fs in
ext4) size=$((48 << 20)) ;;
xfs) size=$((320 << 20)) ;;
*) size=$((128 << 20)) ;;
esac
other_size=$((24 << 20))
make_fs "$fs" "$work/base" $size
state=$T/state
if [ -n "$other" ]; then
	make_fs "$other" "$work/journal" $other_size
	cat "$work/journal" >>"$work/base"
	rm "$work/journal"
	state=$var/state
fi
mkdir -p /var/lib/bindright
mount -o "loop,sizelimit=$size" "$work/base" $T || skip "needs loop devices"
[ -z "$other" ] || mount -o "loop,offset=$size,sizelimit=$other_size" "$work/base" "$var" || fail "no second loop device"
mkdir -m 700 "$state"
mkdir -p $T/data/{a,b,c}/d
for i in $(seq 60); do echo "$i" >"$T/data/a/f$i"; ln -f "$T/data/a/f$i" "$T/data/b/f$i"; echo "$i" >"$T/data/c/d/g$i"; done
setfacl -m u:7300:rx $T/data/c/d/g[1-9]
chown -R 7001:7001 $T/data
cp "$BINDRIGHT" $T/bindright
printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n    volumes: ["./data:/data", "./made/here:/made"]\n' >$T/compose.yaml
facts >"$work/before"
umount $T
[ -z "$other" ] || umount "$var"

# What is done on it, with a disk that remembers.
cp --sparse=always "$work/base" "$work/image"
"$flushlog" "$work/image" "$work/log" "$work/fuse" -f >"$work/said" 2>&1 &
server=$!
for _ in $(seq 100); do mountpoint -q "$work/fuse" && break; sleep 0.05; done
disk=$(losetup --find --show --sizelimit $size "$work/fuse/disk") || fail "no loop device over FUSE: $(cat "$work/said")"
if [ -n "$other" ]; then
	other_disk=$(losetup --find --show --offset $size --sizelimit $other_size "$work/fuse/disk") || fail "no second loop device"
fi
attach "$disk" "$other_disk" defaults defaults || fail "cannot mount"
cd $T || exit 3
flushes() { python3 "$top/tests/oracle/replay.py" "$work/log" "$work/base"; }
undo() { ./bindright undo --yes --require-jail; }
mounted=$(flushes)
./bindright fix -q --yes --require-jail --strategy chown >"$work/said" 2>&1 || fail "fix: $(cat "$work/said")"
facts >"$work/after"
sync
fixed=$(flushes)
undo >"$work/said" 2>&1 || fail "undo: $(cat "$work/said")"
undone=$(flushes)
./bindright fix -q --yes --require-jail --strategy acl --future-files >"$work/said" 2>&1 || fail "fix: $(cat "$work/said")"
facts >"$work/after_acl"
refixed=$(flushes)
undo >"$work/said" 2>&1 || fail "undo: $(cat "$work/said")"
reundone=$(flushes)
go_on() { ./bindright fix -q --yes --require-jail --resume "$@"; }
if [ "$("$meddle" fchownat:90+ "python3 $top/tests/hostile/slay.py \$PPID" \
	./bindright fix -q --yes --require-jail --strategy chown >"$work/said" 2>&1 || echo $?)" != 137 ]; then
	fail "fix was not killed: $(cat "$work/said")"
fi
go_on --strategy chown >"$work/said" 2>&1 || fail "resume: $(cat "$work/said")"
for _ in 1 2; do undo >"$work/said" 2>&1 || fail "undo: $(cat "$work/said")"; done
cd /
detach
losetup -d "$disk"
disk=
if [ -n "$other" ]; then
	losetup -d "$other_disk"
	other_disk=
fi
umount "$work/fuse"
wait $server
server=

flushes=$(flushes)
n=0
done_runs=0
undone_runs=0
changed=0
resumed=0
for ((flush = 0; flush <= flushes; flush++)); do
	for ((seed = 0; seed <= cuts; seed++)); do
		python3 "$top/tests/oracle/replay.py" "$work/log" "$work/base" "$work/cut" $flush $((seed * (flush + 1) * chance))
		where="flush $flush of $flushes, part $seed"
		attach_file "$work/cut" || fail "$where: the file system is gone"
		cd $T || exit 3
		facts >"$work/cut_facts"
		cmp -s "$work/cut_facts" "$work/before" || changed=$((changed + 1))
		./bindright history >"$work/runs" 2>&1 || fail "$where: history: $(cat "$work/runs")"
		cp "$work/runs" "$work/said"
		if grep -q ' damaged' "$work/said"; then fail "$where: $(cat "$work/said")"; fi
		# The first run says that it was done: then it was, before anything else began.
		if [ "$(grep -c ' root ' "$work/said")" = 1 ] && grep -q ' applied$' "$work/said"; then
			done_runs=$((done_runs + 1))
			diff "$work/after" "$work/cut_facts" >"$work/said" || fail "$where: applied, but not all is: $(head -5 "$work/said")"
		fi
		if [ "$(grep -c ' root ' "$work/said")" = 1 ] && grep -q ' root  undone$' "$work/said"; then
			undone_runs=$((undone_runs + 1))
			diff "$work/before" "$work/cut_facts" >"$work/said" || fail "$where: undone, but not all is: $(head -5 "$work/said")"
		fi
		# Every second one is gone on from first.
		if [ $((n % 2)) = 1 ]; then
			how=(--strategy chown) after=$work/after
			[ $flush -le $((undone)) ] || [ $flush -gt $((reundone)) ] || how=(--strategy acl --future-files) after=$work/after_acl
			grep -q ' unfinished$\| partly undone$' "$work/runs" && resumed=$((resumed + 1))
			go_on "${how[@]}" >"$work/said" 2>&1 || fail "$where: resume: $(cat "$work/said")"
			facts | diff "$after" - >"$work/said" || fail "$where: resumed, but not as it would have become: $(head -5 "$work/said")"
		fi
		for _ in 1 2 3 4; do undo >"$work/said" 2>&1 || fail "$where: undo: $(cat "$work/said")"; done
		facts | diff "$work/before" - >"$work/said" || fail "$where: not as before: $(head -5 "$work/said")"
		[ ! -e made ] || fail "$where: a directory was left behind: $(ls -lR made)"
		cd /
		detach
		n=$((n + 1))
	done
done
echo "$INSIDE: $n cuts at $flushes flushes: $((fixed - mounted)) of fix, $((undone - fixed)) of its undo," \
	"$((refixed - undone)) of fix by ACLs, $((reundone - refixed)) of its undo, the rest of one that was killed and gone on from;" \
	"$resumed that were cut short gone on from;" \
	"$changed with something changed, 0 not to be put back;" \
	"$done_runs of them after the end of the first fix, $undone_runs after that of its undo"
[ $done_runs -gt 0 ] && [ $undone_runs -gt 0 ] && [ $changed -gt 0 ] && [ $resumed -gt 0 ]
