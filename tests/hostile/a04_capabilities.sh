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
want 0 undo
kept
