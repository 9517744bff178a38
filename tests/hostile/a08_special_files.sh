#!/usr/bin/env bash
# A8: FIFOs, sockets and devices are not opened and not changed.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
mkfifo data/fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("data/socket")'
mknod data/null c 1 3 && mknod data/loop b 7 0
chown 7001:7001 data/*
for f in fifo socket null loop; do
	keep data/$f
	want any timeout 20 "$BINDRIGHT" fix --yes --sysroot $T
	kept
	want any undo
done
# Left behind by a container they are told of, and stay.
printf 'ann:x:7001:7001::/nonexistent:/bin/sh\n' >>$T/etc/passwd
chown 1001:1001 data/fifo data/socket data/null data/loop
keep data/fifo data/socket data/null data/loop
want 1 bindright reclaim --yes --sysroot $T --keep ann
says '4 below' 'are devices, sockets or FIFOs'
kept
want 0 undo
# They become one on the way: not followed, not opened, not changed.
rm data/fifo data/socket data/null data/loop
meddled fdatasync:2+ 'rm data/f && mkfifo data/f && chown 7001:7001 data/f' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
owned 7001:7001:644 data/f
says 'another one has its name now'
# A container engine's socket is the host.
touch docker.sock
compose 'volumes: ["./docker.sock:/var/run/docker.sock"]'
want 3 fix
says 'socket of a container engine'
# By whatever name: a link, a hard link, a mount.
rm docker.sock && mkdir run
python3 - $T/work/run/docker.sock <<'END' &
import socket
import sys
import time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
open("listens", "w").close()
time.sleep(3600)
END
server=$!
disown
eventually test -e listens
ln -s run/docker.sock link && ln run/docker.sock hard && touch mounted && mount --bind run/docker.sock mounted
# One that nobody listens at any more is still one by its name.
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("run/podman.sock")' && ln -s run/podman.sock stale
chown 7001:7001 run/* && keep run
for name in link hard mounted stale; do
	compose "volumes: [\"./$name:/tmp/socket\"]"
	want 3 fix
	says 'socket of a container engine'
	want any bindright check --sysroot $T
	says BR503
	kept
done
umount mounted
