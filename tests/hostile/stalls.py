"""A FUSE file system with an empty directory that answers until it is asked to list it: stalls.py MOUNT_POINT"""
import os
import struct
import subprocess
import sys
import time

LOOKUP, GETATTR, STATFS, INIT, OPENDIR, READDIR, READDIRPLUS = 1, 3, 17, 26, 27, 28, 44


def attributes():
    # struct fuse_attr_out: valid for 0 s, so that it is asked again; a directory of root's
    attr = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
    return struct.pack("<QII", 0, 0, 0) + attr


fd = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fd, True)
pid = os.fork()
if pid == 0:
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    while True:
        try:
            request = os.read(fd, 1 << 17)
        except PermissionError:  # not mounted yet
            time.sleep(0.01)
            continue
        except OSError:  # not mounted any more
            os._exit(0)
        _, opcode, unique = struct.unpack("<IIQ", request[:16])
        error, body = 0, b""
        if opcode == INIT:
            body = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
        elif opcode == GETATTR:
            body = attributes()
        elif opcode == OPENDIR:
            body = struct.pack("<QII", 1, 0, 0)
        elif opcode == STATFS:
            body = struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 0, 0)
        elif opcode in (READDIR, READDIRPLUS):
            continue
        else:
            error = -2 if opcode == LOOKUP else -38
        try:
            os.write(fd, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
        except OSError:  # nobody waits for it any more
            pass
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other"
subprocess.run(["mount", "-i", "-t", "fuse", "-o", options, "stalls", sys.argv[1]], pass_fds=[fd], check=True)
print(pid)
