#!/usr/bin/env bash
# A21: the later run comes later, whatever the clock says; and no run works where journals are kept.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 a b
keep data
want 0 fix -q --strategy chown
# That was tomorrow, for the clock was put right since.
first=$(ls $T/state/runs)
tomorrow=$(date -u -d tomorrow +%Y%m%dT%H%M%SZ)-00000000
python3 "$here/rename_run.py" $T/state/runs "$first" "$tomorrow"
sed -i s/1001:1001/1002:1002/ compose.yaml
for _ in 1 2; do
	want 0 fix -q --strategy chown --from 1001
	belong 1002 data/a
	want 3 undo $tomorrow
	says 'came later and changed the same places'
	want 0 undo
	silent "$tomorrow"
	belong 1001 data/a
done
want 0 undo
kept
# What another one removes at that moment is gone.
want 0 fix -q --strategy chown
want 0 undo
sleep 1.1 # ages are whole seconds
meddled unlinkat:1 "rm -r $T/state/runs/*" 0 "$BINDRIGHT" history --prune 0d
# A disk that was cloned: the run that was cut short elsewhere can be finished there only, and is in nobody's way here.
meddled fchownat:2+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
want 3 fix --strategy chown
says 'was cut short' 'bindright undo'
echo 00112233445566778899aabbccddeeff >$T/machine
mount --bind $T/machine /etc/machine-id
want 3 undo
says 'it was written on another machine'
want 0 fix --strategy chown
says 'was cut short on another machine'
want 0 undo
umount /etc/machine-id
# Journals that can only be read are read.
mount -o bind,remount,ro /var/lib/bindright
want 0 "$BINDRIGHT" history
says 'unfinished'
silent 'damaged'
want 3 undo
says 'Read-only file system'
mount -o bind,remount,rw /var/lib/bindright
want 0 undo
kept
# A user's own journals, and a source that they lie in, are, or that lies in them.
mkdir -p $T/home/.local/state/other && chown -R 7001:7001 $T/home
printf 'root:x:0:0::/root:/bin/sh\nann:x:7001:7001::%s:/bin/sh\n' $T/home >$T/passwd
mount --bind $T/passwd /etc/passwd
ann() { setpriv --reuid 7001 --regid 7001 --clear-groups -- env HOME=$T/home "$BINDRIGHT" "$@"; }
cd $T/home
for source in .local .local/state .local/state/bindright .local/state/bindright/runs; do
	compose "volumes: [\"./$source:/data\"]"
	chown 7001:7001 compose.yaml
	mkdir -p $source && chown -R 7001:7001 .local
	[ ! -d .local/state/bindright ] || chmod 700 .local/state/bindright/{,runs}
	keep .local/state/other
	want 3 ann fix --yes --sysroot $T --strategy acl
	says 'the journals that undo needs are in'
	kept
done
compose 'volumes: ["./.local/state/other:/data"]'
chown 7001:7001 compose.yaml
want 0 ann fix -q --yes --sysroot $T --strategy acl
want 0 ann undo --yes
kept
umount -l /etc/passwd
