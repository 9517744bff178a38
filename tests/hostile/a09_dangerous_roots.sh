#!/usr/bin/env bash
# A9: what much else lives in is refused, whatever name leads there.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

refused() {
	compose "volumes: [\"$1:/data\"]"
	shift
	want 3 fix "$@"
	says 'refused to change'
}
# These are this machine's own: were one not refused, nothing would become of it all the same.
mount -t tmpfs -o mode=755 none /dev/shm
closed='/ /run /dev'
for place in $closed; do
	! mountpoint -q $place || mount -o remount,bind,ro $place
done
# What others have in /tmp would be walked as well, as deep as they made it.
mkdir empty && mount --bind empty /tmp
for place in / /etc /etc/apt /usr/lib /boot /var/lib /home /root /var/lib/dpkg /var/lib/bindright /tmp /run /dev/shm /sys/kernel; do
	refused $place
done
umount /tmp
# By another name.
mkdir root etc
mount --bind / root && mount --bind empty root/tmp
refused ./root
refused ./root/etc
mount --bind /etc etc
refused ./etc
refused ./etc/apt
umount root/tmp root etc
# A part of it, whose directories above are others. Not of this machine's own: what is not refused is changed.
mkdir -p $T/settings/apt/keys
mount --bind $T/settings /etc
mount --bind $T/settings/apt etc
for place in etc etc/keys etc/missing; do
	refused ./$place
	owned 0:0:755 $T/settings/apt $T/settings/apt/keys
done
umount etc /etc
ln -s /etc link
refused ./link
# The user's word lifts it, but never for what is the host itself.
for place in / /proc /sys /dev; do
	refused $place --allow-dangerous $place
done
for place in $closed; do
	! mountpoint -q $place || mount -o remount,bind,rw $place
done
umount /dev/shm
mkdir -p $T/home && printf 'kim:x:7002:7002::%s/home/kim:/bin/sh\n' $T >>$T/etc/passwd
mkdir -p $T/home/kim/.ssh $T/home/kim/data && chown -R 7002:7002 $T/home/kim
refused $T/home/kim
refused $T/home
refused $T/home/kim/.ssh
# What is shown in the place, and in the place of what lies in it.
mount --bind $T/home/kim/.ssh etc
refused ./etc
umount etc
mkdir -p $T/home/kim/.local/share/docker/x && chown -R 7002:7002 $T/home/kim/.local
mount --bind $T/home/kim/.local/share/docker/x etc
refused ./etc
umount etc
mkdir -p disk/kim && chown 7002:7002 disk/kim
mount --bind disk/kim $T/home/kim
refused ./disk
refused ./disk/kim
umount $T/home/kim
compose "volumes: [\"$T/home/kim/data:/data\"]"
want 0 fix -q
want 0 undo
compose "volumes: [\"$T/home/kim:/data\"]"
keep $T/home/kim/.ssh
want 1 fix -q --allow-dangerous $T/home/kim
kept
# Mounted in a source it is no better, where mount points are entered: neither as it is, nor a part of it, nor what it lies in.
mkdir $T/boot $T/boot/efi $T/var $T/var/lib && chown -R 7001:7001 $T/boot $T/var
mount --bind $T/boot /boot
mount --bind $T/var /var/spool
tree 7001 f 'in side/'
keep data $T/boot $T/var
# inside WHAT WORDS [OPTION]: bound to a directory in it.
inside() {
	mount --bind "$1" 'data/in side'
	want 3 fix --cross-file-systems --strategy chown
	says "what is mounted at 'in side' in it $2"
	[ -z "${3:-}" ] || says "--allow-dangerous '$T/work/data/in side'"
	umount 'data/in side'
	kept
}
inside /boot 'is a system directory' lifts
inside /boot/efi 'is a system directory' lifts
inside /var/spool 'is a directory that much else lives in' lifts
inside /proc "is a file system of the kernel's own"
inside $T/home 'is, or holds, the home of kim' lifts
inside $T/home/kim 'is, or holds, the home of kim' lifts
# Anything else is; left out, it is not entered; and the user's word lifts it.
keep $T/boot
mount --bind /boot 'data/in side'
want 0 fix -q --cross-file-systems --strategy chown --exclude 'in*'
kept
want 0 undo
want 0 fix -q --cross-file-systems --strategy chown --allow-dangerous "$T/work/data/in side"
belong 1001 $T/boot $T/boot/efi
want 0 undo
kept
umount 'data/in side'
mount --bind $T/var/lib 'data/in side'
want 0 fix -q --cross-file-systems --strategy chown
belong 1001 $T/var/lib
want 0 undo
umount 'data/in side'
# What is private by its name, or lies in what is, stays as it is wherever it is; other names are no keys.
tree 7001 .ssh/k x/.gnupg/k .kube/config x/.aws/credentials .docker/config.json authorized_keys x/authorized_keys2 id_rsa x/id_ed25519.old \
	sudoers x/shadow gshadow- id_to_label.json
keep data/.ssh data/x/.gnupg data/.kube data/x/.aws data/.docker data/authorized_keys data/x/authorized_keys2 data/id_rsa data/x/id_ed25519.old \
	data/sudoers data/x/shadow data/gshadow-
compose 'volumes: ["./data:/data"]'
want 1 fix -q --strategy chown
kept
belong 1001 data data/x data/id_to_label.json
want 0 undo
