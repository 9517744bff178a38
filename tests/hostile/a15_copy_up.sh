#!/usr/bin/env bash
# A15: on an overlay a file of the lower layer becomes another object when it is changed: undo knows it all the same.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

lower=$T/work/lower
mkdir -p "$lower/d" upper inner merged && chown 7001:7001 upper
for f in a d/b; do echo $f >"$lower/$f"; done
chown -R 7001:7001 "$lower"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$T/work/upper,workdir=$T/work/inner" merged 2>/dev/null || { [ "$fs" = overlay ] && exit 0; die "no overlay can be mounted"; }
compose 'volumes: ["./merged:/data"]'
keep "$lower"
for strategy in chown acl; do
	want 0 fix --strategy $strategy
	kept
	want 0 undo
	owned 7001:7001:644 merged/a merged/d/b
	[ -z "$(getfacl -cps merged/a merged/d/b merged/d)" ] || die "an ACL was left behind"
done
kept
# Where the layers are on several file systems a file's number changes with its layer: then it is not begun, or can be undone.
umount merged
mkdir other
mount -t tmpfs tmpfs other
mkdir -p other/d && echo a >other/a && echo b >other/d/b && chown -R 7001:7001 other upper
rm -rf upper inner && mkdir upper inner && chown 7001:7001 upper
mount -t overlay overlay -o "lowerdir=$T/work/other,upperdir=$T/work/upper,workdir=$T/work/inner" merged
want 3 fix --strategy chown
says 'undo would not know it again'
want 0 undo
owned 7001:7001:644 merged/a merged/d/b
# Now they are in the upper layer.
want 0 fix -q --strategy chown
want 0 undo
owned 7001:7001:644 merged/a merged/d/b
[ -z "$(getfacl -cps merged/a merged/d/b merged/d)" ] || die "an ACL was left behind"
# What would fill the upper layer is refused; with the user's word it is copied.
umount merged
rm -rf "$lower" upper inner && mkdir "$lower" upper inner
head -c 3000000 /dev/urandom >"$lower/large" && chown -R 7001:7001 "$lower" upper
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$T/work/upper,workdir=$T/work/inner" merged
keep "$lower" upper
want 3 fix --strategy chown --max-copy-up 2M
says 'refused to change' 'lies on an overlay, which would copy up to 3 MiB' '--max-copy-up 3M'
kept
want 0 fix -q --strategy chown --max-copy-up 3M
belong 1001 merged/large
want 0 undo
belong 7001 merged/large
