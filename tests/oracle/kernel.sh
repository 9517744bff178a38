#!/usr/bin/env bash
# The kernel against br_access, as often as BR_ORACLE_COUNT says (24 million), a third at each level of fs.protected_regular, which is put back.
# time limit: 3000
set -eu

level=$(cat /proc/sys/fs/protected_regular)
trap 'echo "$level" >/proc/sys/fs/protected_regular' EXIT
count=$((${BR_ORACLE_COUNT:-24000000} / 3))
for at in 0 1 2; do
	BR_ORACLE_COUNT=$count BR_PROTECTED_REGULAR=$at "${BR_BUILD:?}/tests/test_oracle"
done
