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
import signal
import struct
import sys

from fuse import DIRECTORY, FILE, GETATTR, GETXATTR, INIT, LOOKUP, OPENDIR, READDIR, SETATTR, STATFS, Server, tree

NAMES = {
    "lookup": LOOKUP, "getattr": GETATTR, "setattr": SETATTR, "statfs": STATFS, "opendir": OPENDIR, "readdir": READDIR, "any": None,
}
WORDS = {code: word for word, code in NAMES.items() if code}
CAP_SYS_RESOURCE = 24

place, where, owner = sys.argv[1], sys.argv[2], int(sys.argv[3])


def is_limited(asker):
    with open("/proc/%d/status" % asker) as status:
        caps = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    return not caps >> CAP_SYS_RESOURCE & 1


def attribute(body):
    size, name = struct.unpack_from("<I", body)[0], body[8:].rstrip(b"\0")
    if "STOPS_NFS4_ACL" not in os.environ:
        return -errno.ENOSYS, b""
    # One entry: what the owner may.
    value = struct.pack(">IIIII", 1, 0, 0, 0x1601FF, 6) + b"OWNER@\0\0"
    if name != b"system.nfs4_acl":
        return -errno.ENODATA, b""
    return 0, struct.pack("<II", len(value), 0) if size == 0 else value


class Stops(Server):
    patience = 0.05

    def __init__(self, entries, kind, count):
        super().__init__(entries)
        self.kind, self.count = NAMES[kind], int(count)
        self.seen, self.kept, self.going = 0, [], False
        self.log = open(os.environ["STOPS_LOG"], "a", buffering=1) if "STOPS_LOG" in os.environ else None
        self.inodes = {1: [DIRECTORY | 0o755, owner, owner]}
        for names in entries.values():
            for number in names.values():
                self.inodes[number] = [DIRECTORY | 0o755 if number in entries else FILE | 0o644, owner, owner]

    def shown(self, number):
        return self.inodes[number]

    def has_room(self, uid, asker):
        try:
            with open(os.environ["STOPS_LIMITS"]) as f:
                limits = dict((int(word) for word in line.split()) for line in f)
        except (FileNotFoundError, KeyError):
            return True
        return uid not in limits or sum(i[1] == uid for i in self.inodes.values()) < limits[uid] or not is_limited(asker)

    def change(self, request):
        inode = self.inodes[request.number]
        valid = struct.unpack_from("<I", request.body, 0)[0]
        mode, uid, gid = (struct.unpack_from("<I", request.body, at)[0] for at in (68, 76, 80))
        if "STOPS_REFUSES" in os.environ:
            return -errno.EPERM
        if valid & 2 and uid != inode[1] and not self.has_room(uid, request.asker):
            return -errno.EDQUOT
        if valid & 1:
            inode[0] = inode[0] & 0o170000 | mode & 0o7777
        if valid & 2:
            inode[1] = uid
        if valid & 4:
            inode[2] = gid
        return 0

    def answer(self, request):
        if request.opcode == GETXATTR:
            return attribute(request.body)
        if request.opcode == SETATTR:
            error = self.change(request)
            return error, b"" if error else self.shown_now(request.number)
        return super().answer(request)

    def idle(self):
        if self.going:
            for request in self.kept:
                self.reply(request)
            self.kept = []

    def take(self, request):
        self.seen += self.kind in (None, request.opcode) and request.opcode != INIT
        if self.log and request.opcode in WORDS:
            self.log.write(WORDS[request.opcode] + "\n")
        if self.seen < self.count or self.going:
            self.reply(request)
            return
        self.kept.append(request)
        if "STOPS_TELL" in os.environ:
            open(os.environ["STOPS_TELL"], "w").close()

    def go_on(self, *_):
        self.going = True


server = Stops(tree(int(os.environ.get("STOPS_DIRECTORIES", 4)), int(os.environ.get("STOPS_FILES", 5))), *where.split(":"))
signal.signal(signal.SIGUSR1, server.go_on)
server.mount("stops", place, "default_permissions")
