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
for place in / /etc /etc/apt /usr/lib /boot /var/lib /home /root /var/lib/dpkg /var/lib/bindright /tmp /run /dev/shm /sys/kernel; do
	refused $place
done
# By another name.
mkdir root etc
mount --bind / root
refused ./root
refused ./root/etc
mount --bind /etc etc
refused ./etc
refused ./etc/apt
umount root etc
ln -s /etc link
refused ./link
# The user's word lifts it, but never for what is the host itself.
for place in / /proc /sys /dev; do
	refused $place --allow-dangerous $place
done
mkdir -p $T/home && printf 'kim:x:7002:7002::%s/home/kim:/bin/sh\n' $T >>$T/etc/passwd
mkdir -p $T/home/kim/.ssh $T/home/kim/data && chown -R 7002:7002 $T/home/kim
refused $T/home/kim
refused $T/home
refused $T/home/kim/.ssh
compose "volumes: [\"$T/home/kim/data:/data\"]"
want 0 fix -q
want 0 undo
compose "volumes: [\"$T/home/kim:/data\"]"
keep $T/home/kim/.ssh
want 1 fix -q --allow-dangerous $T/home/kim
kept
