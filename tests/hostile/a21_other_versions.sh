#!/usr/bin/env bash
# A21: where another version is at work, whose journal cannot be read, nothing is begun: it may be right there.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
keep data
want 0 fix -q --strategy chown
want 0 undo
id=$(ls $T/state/runs)
# A journal of a later version, and somebody who works on that run.
cat >$T/later.py <<'END'
import fcntl
import os
import struct
import sys
import time


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


journal, told = sys.argv[1:]
fd = os.open(journal, os.O_RDWR)
head = b"BRJ1" + struct.pack("<I", 99)
os.pwrite(fd, head + struct.pack("<I", crc32c(head)), 0)
F_OFD_SETLK = 37
fcntl.fcntl(fd, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
open(told, "w").close()
time.sleep(3600)
END
cp $T/state/runs/$id/journal whole
python3 $T/later.py $T/state/runs/$id/journal $T/locked &
server=$!
eventually test -e $T/locked
want 3 fix --strategy chown
says 'another fix or undo is running, and it cannot be told where' 'another version of bindright wrote it'
silent '--prune'
kept
want 3 "$BINDRIGHT" history --prune $id --yes
says 'works on run'
# When it is gone there is a word about it.
kill $server && { wait $server || true; } 2>/dev/null
server=
want 0 fix --strategy chown
says 'another version of bindright wrote it'
python3 $T/later.py $T/state/runs/$id/journal $T/again &
server=$!
eventually test -e $T/again
want 3 undo
says 'it cannot be told where'
belong 1001 data/f
kill $server && { wait $server || true; } 2>/dev/null
server=
cat whole >$T/state/runs/$id/journal
want 0 undo
kept
