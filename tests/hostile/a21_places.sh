#!/usr/bin/env bash
# A21: the place for journals is on the disk with every directory that was made on the way to it, before anything is changed.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir $T/home && chown 7001:7001 $T/home
printf 'root:x:0:0::/root:/bin/sh\nann:x:7001:7001::%s:/bin/sh\n' $T/home >$T/passwd
mount --bind $T/passwd /etc/passwd
cd $T/home
mkdir data && touch data/f && chown -R 7001:7001 data && chmod 600 data/f
printf 'services: {app: {image: i, user: "1001:1001", volumes: ["./data:/data"]}}\n' >compose.yaml
chown 7001:7001 compose.yaml
keep data
# ann_meddled CALL COMMAND: with somebody else at one of her calls, who stops her where what he looks for is not so.
ann_meddled() {
	want 0 setpriv --reuid 7001 --regid 7001 --clear-groups -- env HOME=$T/home "$BR_BUILD/tests/hostile/meddle" "$1" "$2" \
		"$BINDRIGHT" fix -q --yes --sysroot $T --strategy acl
	want 0 setpriv --reuid 7001 --regid 7001 --clear-groups -- env HOME=$T/home "$BINDRIGHT" undo --yes
	kept
	rm -rf .local
}
local=$T/home/.local
ann_meddled fsync:1+ "[ -d $local ] && [ ! -e $local/state ]"
ann_meddled fsync:2+ "[ -d $local/state ] && [ ! -e $local/state/bindright ]"
ann_meddled fsync:3+ "[ -d $local/state/bindright ] && [ ! -e $local/state/bindright/runs ]"
ann_meddled fsync:4+ "[ -d $local/state/bindright/runs ] && [ -z \"\$(ls $local/state/bindright/runs)\" ]"
umount -l /etc/passwd
# Where a power cut would take the journal, or the container's end, it says so.
cd $T/work
tree 7001 f g
keep data
mkdir $T/memory $T/lower $T/upper $T/inner
mount -t tmpfs -o mode=700 tmpfs $T/memory
mount --bind $T/memory /var/lib/bindright
want 0 fix --strategy chown
says 'the journal is kept in memory and does not survive a power cut'
want 0 undo
kept
umount /var/lib/bindright $T/memory
mount -t overlay overlay -o lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/inner $T/memory
chmod 700 $T/memory && mount --bind $T/memory /var/lib/bindright
want 0 fix --strategy chown
says "the journal lies on an overlay, perhaps a container's, and may go with it"
want 0 undo
kept
umount /var/lib/bindright $T/memory
want 0 fix --strategy chown
silent 'Careful: the journal'
want 0 undo
kept
