"""A FUSE file system whose server decides who may what, by who asks, whatever owners and modes it shows:

judges.py MOUNT_POINT RULES [OPTIONS]   prints its process

RULES is a file that is read at every request, of lines
  show PATH MODE UID GID      what it shows ("." is the root; 0755 and 0644 of 7001:7001 where nothing is said)
  may UID PATH BITS           what this user may there; PATH * is everything else. Nobody may what nothing is said about.
  listless UID                what access says to this user, he lists nothing
  silent OPERATION            access, opendir: not answered
OPTIONS are more of those of mount.
"""
import errno
import os
import struct
import subprocess
import sys
import time

LOOKUP, FORGET, GETATTR, MKDIR, OPEN, STATFS, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR = 1, 2, 3, 9, 14, 17, 18, 26, 27, 28, 29
ACCESS, CREATE, INTERRUPT, BATCH_FORGET = 34, 35, 36, 42
WORDS = {"access": ACCESS, "opendir": OPENDIR}
R, W, X = 4, 2, 1

place, rules = sys.argv[1], sys.argv[2]
entries = {1: {}}
paths = {1: "."}
for d in range(3):
    number = 10 * (d + 1)
    entries[1]["d%d" % d], entries[number], paths[number] = number, {}, "d%d" % d
    for f in range(3):
        entries[number]["f%d" % f] = number + f + 1
        paths[number + f + 1] = "d%d/f%d" % (d, f)


class Rules:
    def __init__(self):
        self.shown, self.may, self.silent, self.listless = {}, {}, set(), set()
        with open(rules, encoding="ascii") as f:
            for line in f:
                word = line.split()
                if word[0] == "show":
                    self.shown[word[1]] = int(word[2], 8), int(word[3]), int(word[4])
                elif word[0] == "may":
                    self.may[int(word[1]), word[2]] = sum({"r": R, "w": W, "x": X, "-": 0}[c] for c in word[3])
                elif word[0] == "listless":
                    self.listless.add(int(word[1]))
                elif word[0] == "silent":
                    self.silent.add(WORDS[word[1]])

    def bits(self, uid, number):
        return self.may.get((uid, paths[number]), self.may.get((uid, "*"), 0))

    def attributes(self, number):
        is_dir = number in entries
        mode, uid, gid = self.shown.get(paths[number], (0o755 if is_dir else 0o644, 7001, 7001))
        kind = 0o40000 if is_dir else 0o100000
        return struct.pack("<QQQQQQIIIIIIIIII", number, 0, 0, 0, 0, 0, 0, 0, 0, kind | mode, 1, uid, gid, 0, 4096, 0)


def listing(number, offset, size):
    out = b""
    for i, (name, child) in enumerate(sorted(entries[number].items())):
        if i >= offset:
            data = name.encode()
            one = struct.pack("<QQII", child, i + 1, len(data), 4 if child in entries else 8) + data
            one += bytes(-len(one) % 8)
            if len(out) + len(one) > size:
                break
            out += one
    return out


def wanted(opcode, body):
    if opcode == ACCESS:
        return struct.unpack_from("<I", body)[0] & 7
    if opcode == OPEN:
        return {os.O_RDONLY: R, os.O_WRONLY: W, os.O_RDWR: R | W}[struct.unpack_from("<I", body)[0] & os.O_ACCMODE]
    return {LOOKUP: X, OPENDIR: R, MKDIR: W | X, CREATE: W | X}.get(opcode, 0)


def answer(said, opcode, number, uid, body):
    if opcode == INIT:
        return 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
    if wanted(opcode, body) & ~said.bits(uid, number) or (opcode == OPENDIR and uid in said.listless):
        return -errno.EACCES, b""
    if opcode == LOOKUP:
        child = entries.get(number, {}).get(body.rstrip(b"\0").decode())
        if child is None:
            return -errno.ENOENT, b""
        return 0, struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + said.attributes(child)
    if opcode == GETATTR:
        return 0, struct.pack("<QII", 0, 0, 0) + said.attributes(number)
    if opcode in (OPENDIR, OPEN):
        return 0, struct.pack("<QII", number, 0, 0)
    if opcode == READDIR:
        _, offset, size = struct.unpack_from("<QQI", body)
        return 0, listing(number, offset, size)
    if opcode == STATFS:
        return 0, struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 0, 0)
    if opcode in (MKDIR, CREATE):  # who comes so far may; there is no room
        return -errno.ENOSPC, b""
    return (0, b"") if opcode in (ACCESS, RELEASE, RELEASEDIR) else (-errno.ENOSYS, b"")


def serve(fd):
    while True:
        try:
            request = os.read(fd, 1 << 17)
        except PermissionError:  # not mounted yet
            time.sleep(0.01)
            continue
        except InterruptedError:
            continue
        except OSError as error:
            if error.errno == errno.ENOENT:  # who asked has gone meanwhile
                continue
            os._exit(0)  # not mounted any more
        _, opcode, unique, number, uid, _, _ = struct.unpack("<IIQQIII", request[:36])
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        said = Rules()
        if opcode in said.silent:
            continue
        error, out = answer(said, opcode, number, uid, request[40:])
        try:
            os.write(fd, struct.pack("<IiQ", 16 + len(out), error, unique) + out)
        except OSError:  # nobody waits for it any more
            pass


fuse = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fuse, True)
pid = os.fork()
if pid == 0:
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    serve(fuse)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other" + (f",{sys.argv[3]}" if len(sys.argv) > 3 else "")
subprocess.run(["mount", "-i", "-t", "fuse", "-o", options, "judges", place], pass_fds=[fuse], check=True)
print(pid)
