#!/usr/bin/env bash
# Who works has the rights that this work needs, and no more: root's override where directories are made or removed only, and what gives
# file capabilities back (and sees whether anybody writes such a file) only where the run was allowed to take them.
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
# rights CALL WANTED PROGRAM...: whether who works has the override at this call.
rights() {
	local call=$1 want=$2 caps
	shift 2
	meddled "$call" "cat /proc/\$(pgrep -P \$(pgrep -P \$PPID -x bindright))/status >$T/status" 0 "$@"
	caps=$((16#$(sed -n 's/^CapPrm:\s*//p' $T/status)))
	[ $((caps & override)) = $((want * override)) ] || die "rights are $caps: $*"
	[ $((caps & privileged)) = $((gives * privileged)) ] || die "rights are $caps, of files with capabilities: $*"
	# Never: what circumvents chattr and quotas, makes devices, loads modules, looks into others; nor what the jail was made with.
	for never in 9 24 27 19 16 18 21 12; do
		[ $((caps >> never & 1)) = 0 ] || die "has right $never: $*"
	done
}
rights fchownat:1 0 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
rights fchownat:1 0 "$BINDRIGHT" undo --yes
chmod 4755 data/f
keep data
want 0 fix --yes --sysroot $T --strategy chown --privileged-files
gives=1
rights fchownat:1 0 "$BINDRIGHT" undo --yes
gives=0
kept
chmod 755 data/f
keep data place
compose 'volumes: ["./data:/data", "./place/new:/new"]'
rights mkdirat:2 1 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
rights unlinkat:1 1 "$BINDRIGHT" undo --yes
kept
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
