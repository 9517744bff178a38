"""What the servers of FUSE file systems beside this file share: the mount, the requests, and the answers of one that only shows its entries.

The numbers and structures are those of include/uapi/linux/fuse.h.
"""
import collections
import errno
import os
import select
import struct
import subprocess
import time

LOOKUP, FORGET, GETATTR, SETATTR, MKDIR, OPEN, STATFS, RELEASE = 1, 2, 3, 4, 9, 14, 17, 18
GETXATTR, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, CREATE, INTERRUPT = 22, 26, 27, 28, 29, 34, 35, 36
BATCH_FORGET, READDIRPLUS = 42, 44
DIRECTORY, FILE = 0o040000, 0o100000

Request = collections.namedtuple("Request", "unique opcode number uid asker body")


class Server:
    """Directories and files that show the same to everybody, asked for anew each time. What differs overrides what is here.

    entries: of each directory's number (1 is the root) the numbers of what is in it, by name
    """

    patience = None  # how long to wait for a request before idle() has its turn, in seconds

    def __init__(self, entries):
        self.entries = entries
        self.fd = -1

    def shown(self, number):
        """The mode with the kind, the uid and the gid."""
        return (DIRECTORY | 0o755 if number in self.entries else FILE | 0o644), 0, 0

    def answer(self, request):
        """A negative error number or 0, and what follows it."""
        if request.opcode == INIT:
            return 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 0, 0, 0, 0)
        if request.opcode == LOOKUP:
            child = self.entries.get(request.number, {}).get(request.body.rstrip(b"\0").decode())
            if child is None:
                return -errno.ENOENT, b""
            return 0, struct.pack("<QQQQII", child, 0, 0, 0, 0, 0) + self.attributes(child)
        if request.opcode == GETATTR:
            return 0, self.shown_now(request.number)
        if request.opcode in (OPENDIR, OPEN):
            return 0, struct.pack("<QII", request.number, 0, 0)
        if request.opcode == READDIR:
            return 0, self.listing(request)
        if request.opcode == STATFS:
            return 0, struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 0, 0)
        return (0, b"") if request.opcode in (RELEASE, RELEASEDIR) else (-errno.ENOSYS, b"")

    def take(self, request):
        """One request, in turn."""
        self.reply(request)

    def idle(self):
        """Called before each request, and where none came for so long."""

    def attributes(self, number):
        mode, uid, gid = self.shown(number)
        links = 2 if number in self.entries else 1
        return struct.pack("<QQQQQQIIIIIIIIII", number, 0, 0, 0, 0, 0, 0, 0, 0, mode, links, uid, gid, 0, 4096, 0)

    def shown_now(self, number):
        return struct.pack("<QII", 0, 0, 0) + self.attributes(number)

    def listing(self, request):
        _, offset, size = struct.unpack_from("<QQI", request.body)
        out = b""
        for i, (name, child) in enumerate(sorted(self.entries[request.number].items())):
            if i < offset:
                continue
            data = name.encode()
            one = struct.pack("<QQII", child, i + 1, len(data), self.shown(child)[0] >> 12) + data
            one += bytes(-len(one) % 8)
            if len(out) + len(one) > size:
                break
            out += one
        return out

    def reply(self, request):
        error, out = self.answer(request)
        try:
            os.write(self.fd, struct.pack("<IiQ", 16 + len(out), error, request.unique) + out)
        except OSError:  # nobody waits for it any more
            pass

    def next_request(self):
        """None where nothing came in time, or nothing that wants an answer."""
        if self.patience is not None and not select.select([self.fd], [], [], self.patience)[0]:
            return None
        try:
            said = os.read(self.fd, 1 << 17)
        except PermissionError:  # not mounted yet
            time.sleep(0.01)
            return None
        except FileNotFoundError:  # who asked has gone meanwhile
            return None
        except OSError:  # not mounted any more
            os._exit(0)
        _, opcode, unique, number, uid, _, asker = struct.unpack("<IIQQIII", said[:36])
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return None
        return Request(unique, opcode, number, uid, asker, said[40:])

    def mount(self, name, place, options=""):
        """Mount it at place, serve it in a process of its own, and print that."""
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        os.set_inheritable(self.fd, True)
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open("/dev/null", os.O_RDWR), 1)
            while True:
                self.idle()
                request = self.next_request()
                if request:
                    self.take(request)
        said = ",".join(filter(None, [f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other", options]))
        subprocess.run(["mount", "-i", "-t", "fuse", "-o", said, name, place], pass_fds=[self.fd], check=True)
        print(pid)


def tree(directories, files):
    """The entries of d0, d1, ... in the root, and in each of them f0, f1, ..."""
    entries = {1: {}}
    for d in range(directories):
        number = 10 * (d + 1)
        entries[1]["d%d" % d] = number
        entries[number] = {"f%d" % f: number + f + 1 for f in range(files)}
    return entries
