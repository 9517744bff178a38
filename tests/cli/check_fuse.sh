#!/usr/bin/env bash
# FUSE without allow_other lets one user in, whatever the modes say; not even root, and so not the engine, where that is another.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1
command -v bindfs >/dev/null || skip "needs bindfs"
[ -e /dev/fuse ] || skip "needs /dev/fuse"

# Users may mount, here.
mknod "$T/fuse" c 10 229 && chmod 666 "$T/fuse" && mount --bind "$T/fuse" /dev/fuse
echo user_allow_other >"$T/fuse.conf"
[ -e /etc/fuse.conf ] || skip "needs /etc/fuse.conf"
mount --bind "$T/fuse.conf" /etc/fuse.conf
echo 'alice:x:7001:7001::/srv/work:/bin/sh' | cat /etc/passwd - >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
mkdir source mnt && echo x >source/f && chmod 777 source && chmod 666 source/f && chown -R 7001:7001 source mnt
try() { setpriv --reuid "$1" --regid "$2" --clear-groups cat mnt/f >/dev/null 2>&1 && echo "$1:$2 gets in" || echo "$1:$2 does not"; }
compose 'volumes: ["./mnt:/data"]'
# Who looked at it last may still be on his way out.
leave() { umount -l mnt; }
printf '  root:\n    image: example\n    user: "0:0"\n    volumes: ["./mnt:/data"]\n' >>compose.yaml
printf '  almost:\n    image: example\n    user: "0:5"\n    cap_drop: [ALL]\n    volumes: ["./mnt:/data"]\n' >>compose.yaml

# Mounted by root.
bindfs --no-allow-other source mnt
golden 0 try 1001 1001
golden 0 try 0 0
golden 0 try 0 5
golden 1 bindright check --sysroot "$T"
golden 1 bindright plan --sysroot "$T" app
leave
bindfs source mnt
golden 0 try 1001 1001
golden 0 bindright check -q --sysroot "$T" app
leave

# Mounted by alice: root cannot even look.
setpriv --reuid 7001 --regid 7001 --clear-groups bindfs --no-allow-other source mnt
golden 0 try 0 0
golden 0 try 7001 7001
golden 1 bindright check --sysroot "$T" app
sed -i 's/1001:1001/7001:7001/' compose.yaml
golden 1 setpriv --reuid 7001 --regid 7001 --clear-groups "$BINDRIGHT" check --sysroot "$T" app
leave
done_golden
