#!/usr/bin/env bash
# A socket, FIFO or device that is mounted by itself is there to be used; in a directory it is nobody's business.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir dir
mkfifo -m 660 fifo dir/fifo
mknod -m 660 device c 1 3
mknod -m 666 null c 1 3
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
chmod 750 socket
cp -a socket docker.sock
chown 1001 dir
# The kernel's word for it.
for f in socket fifo device; do
	! setpriv --reuid 1001 --regid 1001 --clear-groups test -w $f || die "$f can be written"
done
compose 'volumes: ["./socket:/s", "./fifo:/f", "./device:/d", "./null:/n", "./dir:/dir"]'
golden 1 bindright check
golden 1 bindright fix --yes -q
# connect() is refused on a read-only mount too.
compose 'volumes: ["./docker.sock:/var/run/docker.sock:ro"]'
golden 1 bindright check
chmod 752 docker.sock
golden 0 bindright check
done_golden
