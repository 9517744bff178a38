#!/usr/bin/env bash
# A FUSE file system that takes an ACL and goes on showing a mode of its own: what did not become what it should is brought back.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1
command -v bindfs >/dev/null || skip "needs bindfs"
[ -e /dev/fuse ] || skip "needs /dev/fuse"

mkdir mnt source && mount -t tmpfs none source && mkdir source/d && touch source/d/f
chmod 750 source/d source/d/f
bindfs -o allow_other,force-user=7001,force-group=7001,perms=0750 source mnt
compose 'volumes: ["./mnt/d:/data"]'
getfacl -n -R source/d >before
golden 3 bindright fix --sysroot "$T" --yes -q
getfacl -n -R source/d | diff before - || die "something was left of it"
golden 0 bindright undo --yes
getfacl -n -R source/d | diff before - || die "undo made something of it"
done_golden
