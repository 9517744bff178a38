#!/usr/bin/env bash
# A22: a run that was cut short stands in the way of its own places only, and where it cannot be put back any more it can be given up.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

truncate -s 64M "$memory/disk" && mkfs.ext4 -q -F "$memory/disk"
mkdir disk data plain && mount -o loop "$memory/disk" disk && mkdir disk/data
touch disk/data/{1..9} data/{1..9} plain/f
chown -R 7001:7001 disk/data data plain
printf 'services:\n  app: {image: i, user: "1001:1001", volumes: ["./disk/data:/disk", "./data:/data"]}\n' >both.yaml
printf 'services:\n  app: {image: i, user: "1001:1001", volumes: ["./plain:/data"]}\n' >plain.yaml
printf 'services:\n  app: {image: i, user: "1001:1001", volumes: ["./data:/data"]}\n' >data.yaml
keep disk/data data plain
# cut: behind the fifth change of the second tree.
cut() {
	meddled fchownat:15+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T -f both.yaml --strategy chown
	id=$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")
}
cut
# Elsewhere there is a word about it, and no more.
want 0 fix -f plain.yaml --strategy chown
says "run $id was cut short" "bindright undo $id"
belong 1001 plain plain/f
want 0 undo -q "$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")"
want 3 fix -f data.yaml --strategy chown
says "run $id was cut short" "bindright undo $id"
want 0 undo
kept
# One of its places can only be read: the other is put back, and then it is free.
cut
mount -o remount,ro disk
want 3 fix -f data.yaml --strategy chown
want 3 undo
says 'could not be put back' "bindright undo $id" "bindright history --prune $id"
owned 7001:7001:755 data
belong 7001 data/1 data/9
want 0 "$BINDRIGHT" history
says 'partly undone'
want 0 fix -f data.yaml --strategy chown
want 0 undo
# When it can be written again, the rest is put back.
mount -o remount,rw disk
want 0 undo "$id"
kept
# One of them is gone.
cut
umount disk
want 0 fix -f plain.yaml --strategy chown
want 0 undo -q "$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")"
want 1 undo
want 0 fix -f data.yaml --strategy chown
want 0 undo
mount -o loop "$memory/disk" disk
want 0 undo "$id"
kept
# Gone for good: its journal is dropped by name, and only by somebody who says that he means it.
meddled fchownat:16~ "pkill -INT -P \$PPID -x bindright" 3 "$BINDRIGHT" fix --yes --sysroot $T -f both.yaml --strategy chown
id=$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")
sleep 1.1 # ages are whole seconds
want 0 "$BINDRIGHT" history --prune 0s
[ -e $T/state/runs/$id ] || die 'dropped by age'
want 1 "$BINDRIGHT" history --prune $id
says 'nothing can put back' 'there is no terminal to ask on' "bindright history --prune $id --yes"
[ -e $T/state/runs/$id ] || die 'dropped without asking'
want 0 "$BINDRIGHT" history --prune $id --yes
says '1 journal was dropped'
[ ! -e $T/state/runs/$id ] || die 'not dropped'
want 3 "$BINDRIGHT" history --prune $id --yes
says "there is no run '$id'"
chown -R 7001:7001 data disk/data && setfacl -R -b data disk/data
# One that is damaged may be the only way back: it stays until somebody names it.
want 0 fix -q -f data.yaml --strategy chown
id=$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")
python3 - $T/state/runs/$id/journal <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[60] ^= 1
open(sys.argv[1], "wb").write(data)
END
want 3 undo "$id"
says 'it is damaged' "bindright history --prune $id"
sleep 1.1
want 0 "$BINDRIGHT" history --prune 0s
want 0 fix -f plain.yaml --strategy chown
says "the journal of run $id cannot be used" "bindright history --prune $id"
want 1 "$BINDRIGHT" history --prune $id
says 'it is damaged'
want 0 "$BINDRIGHT" history --prune $id --yes
want 0 undo
belong 7001 plain plain/f
# One at work is not dropped.
chown -R 7001:7001 data && setfacl -R -b data
keep disk/data data plain
meddled fdatasync:2+ "! $BINDRIGHT history --prune \$(ls -t $T/state/runs | head -n 1) --yes >$T/inner 2>&1" 0 "$BINDRIGHT" fix -q --yes --sysroot $T -f data.yaml --strategy chown
grep -q 'another fix or undo works on run' $T/inner || die "$(cat $T/inner)"
want 0 undo
kept
# What is undone needs no question.
want 0 "$BINDRIGHT" history --prune "$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")"
umount disk
