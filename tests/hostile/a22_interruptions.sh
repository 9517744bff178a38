#!/usr/bin/env bash
# A22: stopped, killed or put to sleep, it says how far it came, and undo returns the rest.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 a b c d/e d/f d/{1..57}
keep data
for signal in INT TERM HUP; do
	meddled fchownat:2~ "pkill -$signal -P \$PPID -x bindright" 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	says 'interrupted: ' 'of 64 changed' 'bindright undo'
	want 0 "$BINDRIGHT" history
	says 'unfinished'
	want 3 fix --strategy chown
	says 'was cut short' 'bindright undo' 'with --resume this goes on from there'
	want 0 undo
	kept
	# Undo too.
	want 0 fix -q --strategy chown
	meddled fchownat:2~ "pkill -$signal -P \$PPID -x bindright" 3 "$BINDRIGHT" undo --yes
	says 'interrupted' 'puts back the rest'
	want 0 undo
	kept
done
# Before anything was done it stands in nobody's way.
meddled fdatasync:2+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
kept
want 0 fix -q --strategy chown
want 0 undo
kept
meddled fchownat:3+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
want 0 undo
kept
# What was announced is what the walk had read; if that was not so any more, nothing is put back over it. (Only what is just as the run
# itself might have left it, 0600 for one, cannot be told apart.)
for what in 'chmod 666 data/a' 'chown 7007 data/b'; do
	# Each by itself: how many are announced at a time is a matter of time.
	file=${what##* }
	sed "s|\./data:/data|./$file:/file|" compose.yaml >alone.yaml
	meddled fdatasync:2 "$what; $slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown -f alone.yaml
	want 1 undo
	case $what in
	chmod*)
		says "$file: its owner is now 7001"
		owned 7001:7001:666 $file
		chmod 644 $file
		;;
	chown*)
		says "$file: its owner is now 7007"
		owned 7007:7001:644 $file
		chown 7001 $file
		;;
	esac
	kept
done
# What somebody changed while it slept is left alone, by fix and by undo.
meddled fdatasync:2+ 'sleep 0.1; chmod 600 data/a; chown 7007 data/b' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'its mode is now' 'its owner is now 7007'
owned 7001:7001:600 data/a
owned 7007:7001:644 data/b
chmod 640 data/c
want 1 undo
says 'its mode is now'
[ "$(stat -c %a data/c)" = 640 ] || die "undo changed what was changed since"
owned 7001:7001:644 data/d/e data/d/f
# After a start of the machine the disk may have another number.
case $fs in
ext4) size=64M ;;
xfs) size=320M ;;
btrfs) size=128M ;;
*) exit 0 ;;
esac
truncate -s $size "$memory/other" && "mkfs.$fs" -q "$memory/other" >/dev/null
one=$(losetup --find --show "$memory/other") && two=$(losetup --find --show "$memory/other")
loops="$one $two"
mkdir disk && mount "$one" disk && mkdir disk/data && touch disk/data/f && touch disk/lone && chown -R 7001:7001 disk/data disk/lone
compose 'volumes: ["./disk/data:/data", "./disk/lone:/lone", "./disk/new/er:/new"]'
want 0 fix -q --strategy chown
belong 1001 disk/data disk/data/f disk/lone
umount disk && mount "$two" disk
want 0 undo
belong 7001 disk/data disk/data/f disk/lone
[ ! -e disk/new ] || die "a directory was left behind"
umount disk
