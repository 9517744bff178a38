#!/usr/bin/env bash
# A4: a seal on owner and mode (security.evm) that the kernel verifies is not broken; where nobody verifies it, nobody asks for it.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

seal() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security." + sys.argv[2], b"\3\2\4" + bytes(40))' "$@"; }
tree 7001 sealed d/deep hashed plain d/later
seal data/sealed evm && seal data/d/deep evm && seal data/hashed ima
# Nobody but this script says what this kernel verifies.
[ -d /sys/kernel/security ] || die "no place for securityfs"
mount -t tmpfs tmpfs /sys/kernel/security
verifies() {
	rm -rf /sys/kernel/security/*
	mkdir -p "$(dirname /sys/kernel/security/$1)"
	echo "${2:-}" >/sys/kernel/security/$1
}
# A key of either kind, or of both; with writes allowed, too, since these break the seal; or what nobody understands.
for keys in 'evm 1' 'evm 2' 'integrity/evm/evm 3' 'evm 6' 'evm -2147483647' 'evm what' 'evm'; do
	verifies $keys
	keep data/sealed data/d/deep
	want 1 fix -q --strategy chown
	kept
	belong 1001 data/hashed data/plain data/d data
	want 1 bindright plan --sysroot $T
	says "2 below $T/work/data have their owner and mode sealed by security.evm, which EVM verifies"
	want 1 bindright plan --sysroot $T --format json
	grep -q '"reason": "sealed"' $T/out || die 'no reason by name'
	want 0 undo
	owned 7001:7001:644 data/hashed data/plain data/sealed
done
# No option includes them.
want 1 fix -q --strategy acl --privileged-files --from 7001,root
[ -z "$(getfacl -cps data/sealed data/d/deep)" ] || die "a sealed file was changed"
want 0 undo
# Without a key it is bytes like others: they stay as they are, and so does the seal once it is undone.
for keys in 'evm 0' 'integrity/evm/evm 0' 'evm 4'; do
	verifies $keys
	keep data
	want 0 fix -q --strategy chown
	belong 1001 data/sealed data/d/deep
	want 0 undo
	kept
done
# Sealed on the way, behind the announcement; and between a fix and its undo.
verifies evm 1
python3 -c 'import os; os.removexattr("data/sealed", "security.evm"); os.removexattr("data/d/deep", "security.evm")'
meddled fdatasync:2+ "python3 -c 'import os; os.setxattr(\"data/d/later\", \"security.evm\", bytes(4))'" 1 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'data/d/later: its owner and mode are sealed by security.evm now'
owned 7001:7001:644 data/d/later
seal data/plain evm
want 1 undo
says 'data/plain: its owner and mode are sealed by security.evm now'
belong 1001 data/plain
belong 7001 data/hashed data/d data
verifies evm 0
want 0 undo
belong 7001 data/plain
# Where nobody has mounted a securityfs the kernel itself is asked (whoever runs this has no key); where it cannot be, on an older one
# (tests/under/enosys), a seal counts.
umount -l /sys/kernel/security
mount -t tmpfs tmpfs /sys/kernel/security
seal data/sealed evm
if grep -q '^Seccomp:.*2' /proc/self/status; then
	want 1 fix -q --strategy chown
	belong 7001 data/sealed
else
	want 0 fix -q --strategy chown
	belong 1001 data/sealed
fi
want 0 undo
