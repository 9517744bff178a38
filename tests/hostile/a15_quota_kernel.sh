#!/usr/bin/env bash
# A15: what is said beforehand about quotas is what the kernel says then: held against a kernel that has them, of ext4 and of XFS, with any sizes and limits.
# time limit: 600
set -eu

top=${BR_TOP:?run it with make test}
bindright=${BINDRIGHT:-${BR_BUILD:?run it with make test}/bindright}
skip() {
	echo "skip: $*"
	exit 77
}
# Debian's user-mode-linux: a kernel that is a program. It sees this machine's files, read-only, and these images.
command -v linux.uml >/dev/null || skip "needs user-mode-linux"
command -v mkfs.xfs >/dev/null || skip "needs xfsprogs"
modules=$(echo /usr/lib/uml/modules/*/kernel/fs/quota)
T=$(mktemp -d)
chmod 755 "$T"
trap 'rm -rf "$T"' EXIT
truncate -s 64M "$T/ext4"
truncate -s 320M "$T/xfs"
mke2fs -q -t ext4 -O quota -E quotatype=usrquota:grpquota "$T/ext4"
mkfs.xfs -q "$T/xfs"
cp "$bindright" "$T/bindright"

# The kernel takes what it does not know for its first program's environment.
HOME=$T linux.uml mem=256M quiet con=null con0=fd:0,fd:1 rootfstype=hostfs rootflags=/ ro \
	"init=$top/tests/hostile/a15_quota_kernel.py" "ubda=$T/ext4" "ubdb=$T/xfs" \
	"QUOTA_MODULES=$modules" "QUOTA_BINDRIGHT=$T/bindright" "QUOTA_SEED=${BR_SEED:-7}" \
	"QUOTA_ROUNDS=${BR_ROUNDS:-40}" </dev/null >"$T/out" 2>&1 || true
grep -q '^all as foretold: ext4 and xfs' "$T/out" || {
	echo "FAILED:" >&2
	cat "$T/out" >&2
	exit 1
}
grep '^all as' "$T/out"
