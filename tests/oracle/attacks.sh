#!/usr/bin/env bash
# Four attackers against fix and undo in the jail, twenty minutes in all, and the control that other tools are led astray by them: in
# memory, then on file systems of their own (BR_ATTACK_SECONDS: each attack in memory, BR_ATTACK_FS_SECONDS: on each of BR_ATTACK_FS;
# BR_JAIL=none: without the jail).
# time limit: 7200
set -u

build=${BR_BUILD:?run it with make prove}
export BR_JAIL=${BR_JAIL:-require}
if [ -z "${INSIDE:-}" ]; then
	BR_ATTACK_SECONDS=${BR_ATTACK_SECONDS:-150} "$build/tests/test_attack" || exit
	for fs in ${BR_ATTACK_FS-ext4 xfs btrfs overlay}; do
		echo "on $fs:"
		INSIDE=$fs unshare --mount --propagation private bash "$0" || exit
	done
	exit 0
fi
image=$(mktemp /dev/shm/bindright-attack-XXXXXX 2>/dev/null || mktemp)
trap 'cd /; umount -l /srv; umount -l /srv 2>/dev/null; rm -f "$image"' EXIT
case $INSIDE in
xfs | btrfs) kind=$INSIDE ;;
*) kind=ext4 ;;
esac
truncate -s 320M "$image"
"mkfs.$kind" -q "$image" >/dev/null && mount -o loop "$image" /srv || exit 77
if [ "$INSIDE" = overlay ]; then
	mkdir /srv/lower /srv/upper /srv/work
	mount -t overlay overlay -o lowerdir=/srv/lower,upperdir=/srv/upper,workdir=/srv/work /srv || exit 77
fi
chmod 755 /srv
export BR_ATTACK_SECONDS=${BR_ATTACK_FS_SECONDS:-30} BR_ATTACK_ON=/srv
"$build/tests/test_attack"
