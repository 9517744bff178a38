#!/usr/bin/env bash
# A4: file capabilities are left alone unasked, and come back byte for byte.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 ping plain
python3 -c 'import os; os.setxattr("data/ping", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))'
chmod 755 data/ping
keep data
want 1 fix -q
python3 -c 'import os; os.getxattr("data/ping", "security.capability")' || die "the capability is gone"
want 0 undo
kept
want 0 fix -q --privileged-files --strategy chown
if python3 -c 'import os; os.getxattr("data/ping", "security.capability")' 2>/dev/null; then die "the new owner was given a capability"; fi
# An overlay cannot tell who has a file mapped: there they are left to whoever knows better.
if [ "$fs" = overlay ]; then
	want 1 undo
	says 'all but its setuid, setgid and capabilities: somebody may still be writing to it'
	exit 0
fi
want 0 undo
kept
# What the new owner put into it does not get them.
want 0 fix -q --privileged-files --strategy chown
as 1001:1001 sh -c 'echo evil >data/ping'
want 1 undo
says 'all but its setuid, setgid and capabilities: what is in it has changed'
owned 7001:7001:755 data/ping
if python3 -c 'import os; os.getxattr("data/ping", "security.capability")' 2>/dev/null; then die "what somebody wrote was given a capability"; fi
