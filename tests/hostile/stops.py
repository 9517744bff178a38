"""A FUSE file system with four directories of five files, which keeps owners and modes, and stops answering:

stops.py MOUNT_POINT OPERATION:N OWNER    at the N-th request of this kind (any: of whatever kind), until it is told SIGUSR1; prints its process
                                          STOPS_LOG is a file to which the kind of every request is written
                                          STOPS_TELL names a file that is there once it has stopped
                                          STOPS_LIMITS is a file with lines "UID N": who may have no more than N files, while there is such a line, unless
                                          whoever asks has CAP_SYS_RESOURCE (fs/quota/dquot.c: ignore_hardlimit())
                                          STOPS_REFUSES=1: nobody may change anything, root neither, as on NFS with root_squash
                                          STOPS_NFS4_ACL=1: all have a system.nfs4_acl
"""
import errno
import os
import select
import signal
import struct
import subprocess
import sys
import time

NAMES = {"lookup": 1, "getattr": 3, "setattr": 4, "statfs": 17, "opendir": 27, "readdir": 28, "any": 0}
LOOKUP, FORGET, GETATTR, SETATTR, STATFS, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR = 1, 2, 3, 4, 17, 18, 26, 27, 28, 29
GETXATTR, CAP_SYS_RESOURCE = 22, 24
BATCH_FORGET, READDIRPLUS = 42, 44

WORDS = {code: word for word, code in NAMES.items() if code}
log = open(os.environ["STOPS_LOG"], "a", buffering=1) if "STOPS_LOG" in os.environ else None

place, where, owner = sys.argv[1], sys.argv[2], int(sys.argv[3])
kind, count = NAMES[where.split(":")[0]], int(where.split(":")[1])
inodes = {1: [0o40755, owner, owner]}
entries = {1: {}}
for d in range(int(os.environ.get("STOPS_DIRECTORIES", 4))):
    number = 10 * (d + 1)
    inodes[number], entries[number], entries[1]["d%d" % d] = [0o40755, owner, owner], {}, number
    for f in range(int(os.environ.get("STOPS_FILES", 5))):
        inodes[number + f + 1] = [0o100644, owner, owner]
        entries[number]["f%d" % f] = number + f + 1


def attributes(number):
    mode, uid, gid = inodes[number]
    links = 2 if number in entries else 1
    return struct.pack("<QQQQQQIIIIIIIIII", number, 0, 0, 0, 0, 0, 0, 0, 0, mode, links, uid, gid, 0, 4096, 0)


def listing(number, offset, size):
    out = b""
    for i, (name, child) in enumerate(sorted(entries[number].items())):
        if i < offset:
            continue
        data = name.encode()
        one = struct.pack("<QQII", child, i + 1, len(data), inodes[child][0] >> 12) + data
        one += bytes(-len(one) % 8)
        if len(out) + len(one) > size:
            break
        out += one
    return out


def is_limited(asker):
    with open("/proc/%d/status" % asker) as status:
        caps = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    return not caps >> CAP_SYS_RESOURCE & 1


def has_room(uid, asker):
    try:
        with open(os.environ["STOPS_LIMITS"]) as f:
            limits = dict((int(word) for word in line.split()) for line in f)
    except (FileNotFoundError, KeyError):
        return True
    return uid not in limits or sum(i[1] == uid for i in inodes.values()) < limits[uid] or not is_limited(asker)


def change(number, body, asker):
    valid = struct.unpack_from("<I", body, 0)[0]
    mode, uid, gid = (struct.unpack_from("<I", body, at)[0] for at in (68, 76, 80))
    if "STOPS_REFUSES" in os.environ:
        return -errno.EPERM
    if valid & 2 and uid != inodes[number][1] and not has_room(uid, asker):
        return -errno.EDQUOT
    if valid & 1:
        inodes[number][0] = inodes[number][0] & 0o170000 | mode & 0o7777
    if valid & 2:
        inodes[number][1] = uid
    if valid & 4:
        inodes[number][2] = gid
    return 0


def attribute(body):
    size, name = struct.unpack_from("<I", body)[0], body[8:].rstrip(b"\0")
    if "STOPS_NFS4_ACL" not in os.environ:
        return -errno.ENOSYS, b""
    # One entry: what the owner may.
    value = struct.pack(">IIIII", 1, 0, 0, 0x1601FF, 6) + b"OWNER@\0\0"
    if name != b"system.nfs4_acl":
        return -errno.ENODATA, b""
    return 0, struct.pack("<II", len(value), 0) if size == 0 else value


def answer(opcode, number, body, asker):
    if opcode == INIT:
        return 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
    if opcode == LOOKUP:
        child = entries.get(number, {}).get(body.rstrip(b"\0").decode())
        if child is None:
            return -2, b""
        return 0, struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + attributes(child)
    if opcode == GETXATTR:
        return attribute(body)
    error = change(number, body, asker) if opcode == SETATTR else 0
    if error:
        return error, b""
    if opcode in (GETATTR, SETATTR):
        return 0, struct.pack("<QII", 0, 0, 0) + attributes(number)
    if opcode == OPENDIR:
        return 0, struct.pack("<QII", number, 0, 0)
    if opcode == READDIR:
        _, offset, size = struct.unpack_from("<QQI", body)
        return 0, listing(number, offset, size)
    if opcode == STATFS:
        return 0, struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 0, 0)
    return (0, b"") if opcode == RELEASEDIR else (-38, b"")


def reply(unique, opcode, number, body, asker):
    error, out = answer(opcode, number, body, asker)
    try:
        os.write(fd, struct.pack("<IiQ", 16 + len(out), error, unique) + out)
    except OSError:  # nobody waits for it any more
        pass


fd = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fd, True)
pid = os.fork()
if pid == 0:
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    seen, kept, going = 0, [], False

    def go_on(*_):
        global going
        going = True

    signal.signal(signal.SIGUSR1, go_on)
    while True:
        if going and kept:
            for request in kept:
                reply(*request)
            kept = []
        if not select.select([fd], [], [], 0.05)[0]:
            continue
        try:
            request = os.read(fd, 1 << 17)
        except PermissionError:  # not mounted yet
            time.sleep(0.01)
            continue
        except OSError:  # not mounted any more
            os._exit(0)
        _, opcode, unique, number, _, _, asker = struct.unpack("<IIQQIII", request[:36])
        body = request[40:]
        if opcode in (FORGET, BATCH_FORGET):
            continue
        seen += kind in (0, opcode) and opcode != INIT
        if log and opcode in WORDS:
            log.write(WORDS[opcode] + "\n")
        if seen >= count and not going:
            kept.append((unique, opcode, number, body, asker))
            if "STOPS_TELL" in os.environ:
                open(os.environ["STOPS_TELL"], "w").close()
        else:
            reply(unique, opcode, number, body, asker)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
subprocess.run(["mount", "-i", "-t", "fuse", "-o", options, "stops", place], pass_fds=[fd], check=True)
print(pid)
