#!/usr/bin/env bash
# Where the file system keeps no ACLs, a missing directory of several services is made for all of them at once: by a group that they have; where they have none, it is the first one's.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\n' >etc/passwd && printf 'root:x:0:\n' >etc/group
mkdir disk
mount -t ramfs -o mode=755 none disk || skip "needs ramfs"
cat >compose.yaml <<'END'
services:
  a: {image: x, user: "7002:7002", volumes: ["./disk/one:/1", "./disk/all:/2", "./disk/none:/3"]}
  b: {image: x, user: "7003:7003", volumes: ["./disk/one:/1", "./disk/all:/2"], group_add: ["7222"]}
  c: {image: x, user: "7004:7004", volumes: ["./disk/all:/2", "./disk/none:/3"], group_add: ["7222"]}
  d: {image: x, user: "7005:7005", volumes: ["./disk/none:/3"]}
END
golden 1 bindright plan --sysroot . --from root
golden 1 bindright fix --sysroot . -qq --yes
as() { setpriv --reuid "$1" --regid "$1" --groups "$1,$2" "${@:3}"; }
as 7003 7222 touch disk/one/b disk/all/b || die "b is not served"
as 7004 7222 touch disk/all/c || die "c is not served"
[ "$(stat -c %u:%g:%a disk/none)" = 7002:7002:755 ] || die "whose is it? $(stat -c %u:%g:%a disk/none)"
# No ACLs, no --future-files: it is not recommended there.
"$BINDRIGHT" plan --sysroot . --strategy acl >"$T/out" && die "the last one does not fit"
grep -q future-files "$T/out" && die "that cannot help"
done_golden
