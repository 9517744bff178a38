#!/usr/bin/env bash
# Who works has the rights that this work needs, and no more: root's override where directories are made or removed only, in force at the
# very calls that do it; and what gives file capabilities back (and sees whether anybody writes such a file) only where the run was
# allowed to take them.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
mkdir -m 700 place && chown 7001:7001 place
keep data place
override=2 # 1 << CAP_DAC_OVERRIDE
privileged=$((1 << 31 | 1 << 28)) # CAP_SETFCAP, CAP_LEASE
gives=0
# held SET: the capabilities of who works at that call, of all its threads.
held() { sed -n "s/^$1:\s*//p" $T/status | python3 -c 'import functools, sys; print(functools.reduce(int.__or__, (int(l, 16) for l in sys.stdin)))'; }
# rights CALL PERMITTED FORCE PROGRAM...: whether who works may have the override at this call, and has it in force.
rights() {
	local call=$1 may=$2 does=$3 caps
	shift 3
	meddled "$call" "cat /proc/\$(pgrep -P \$(pgrep -P \$PPID -x bindright))/task/*/status >$T/status" 0 "$@"
	caps=$(held CapEff)
	[ $((caps & override)) = $((does * override)) ] || die "rights in force are $caps at $call: $*"
	caps=$(held CapPrm)
	[ $((caps & override)) = $((may * override)) ] || die "rights are $caps at $call: $*"
	[ $((caps & privileged)) = $((gives * privileged)) ] || die "rights are $caps, of files with capabilities: $*"
	# Never: what circumvents chattr and quotas, makes devices, loads modules, looks into others; nor what the jail was made with.
	for never in 9 24 27 19 16 18 21 12; do
		[ $((caps >> never & 1)) = 0 ] || die "has right $never: $*"
	done
}
rights fchownat:1 0 0 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
rights fchownat:1 0 0 "$BINDRIGHT" undo --yes
chmod 4755 data/f
keep data
want 0 fix --yes --sysroot $T --strategy chown --privileged-files
gives=1
rights fchownat:1 0 0 "$BINDRIGHT" undo --yes
gives=0
kept
chmod 755 data/f
keep data place
compose 'volumes: ["./data:/data", "./place/new/inner:/new"]'
# In force at the calls that make or remove an entry, and only there; and once all directories are made, it is gone.
# CALL/PERMITTED/IN FORCE; of the calls that change owners the first two are about what is made, of two levels.
for at in mkdirat:2/1/1 fchownat:1/1/0 renameat2:1/1/1 mkdirat:3/1/1 fchownat:2/1/0 renameat2:2/1/1 fchownat:3/0/0 fchownat:4/0/0 syncfs:1/0/0; do
	IFS=/ read -r call may does <<<"$at"
	rights $call $may $does "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	belong 1001 place/new/inner data data/f
	want 0 undo
	kept
done
for at in fchownat:1/1/0 fchownat:2/1/0 unlinkat:1/1/1 unlinkat:2/1/1 syncfs:1/1/0; do
	IFS=/ read -r call may does <<<"$at"
	want 0 fix --strategy chown
	rights $call $may $does "$BINDRIGHT" undo --yes
	kept
done
# Where there is no jail, as in a container, or where it could only be begun, all the same.
for lacks in sys_admin sys_chroot; do
	rights fchownat:3 0 0 "$(command -v setpriv)" --bounding-set -$lacks "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	says 'jail: off'
	belong 1001 place/new/inner data data/f
	rights fchownat:1 1 0 "$(command -v setpriv)" --bounding-set -$lacks "$BINDRIGHT" undo --yes
	kept
done
# Cut short before its end counts what it made: that goes, too.
meddled mkdirat:2+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
want 0 undo
[ -z "$(ls -A place)" ] || die "left behind: $(ls -A place)"
kept
meddled mkdirat:2+ 'chmod 750 place/.bindright-*' 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'somebody else interferes'
chmod 700 place/.bindright-*
want 0 undo
[ -z "$(ls -A place)" ] || die "left behind: $(ls -A place)"
kept
