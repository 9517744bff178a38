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
import sys

from fuse import ACCESS, CREATE, DIRECTORY, FILE, INIT, LOOKUP, MKDIR, OPEN, OPENDIR, Server, tree

WORDS = {"access": ACCESS, "opendir": OPENDIR}
R, W, X = 4, 2, 1

place, rules = sys.argv[1], sys.argv[2]


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

    def bits(self, uid, path):
        return self.may.get((uid, path), self.may.get((uid, "*"), 0))


def wanted(opcode, body):
    if opcode == ACCESS:
        return struct.unpack_from("<I", body)[0] & 7
    if opcode == OPEN:
        return {os.O_RDONLY: R, os.O_WRONLY: W, os.O_RDWR: R | W}[struct.unpack_from("<I", body)[0] & os.O_ACCMODE]
    return {LOOKUP: X, OPENDIR: R, MKDIR: W | X, CREATE: W | X}.get(opcode, 0)


class Judges(Server):
    def __init__(self, entries):
        super().__init__(entries)
        self.said = None
        self.paths = {1: "."}
        for name, number in entries[1].items():
            self.paths[number] = name
            self.paths.update((child, f"{name}/{of}") for of, child in entries[number].items())

    def shown(self, number):
        is_dir = number in self.entries
        mode, uid, gid = self.said.shown.get(self.paths[number], (0o755 if is_dir else 0o644, 7001, 7001))
        return (DIRECTORY if is_dir else FILE) | mode, uid, gid

    def refuses(self, request):
        missing = wanted(request.opcode, request.body) & ~self.said.bits(request.uid, self.paths[request.number])
        return missing or (request.opcode == OPENDIR and request.uid in self.said.listless)

    def answer(self, request):
        if request.opcode != INIT and self.refuses(request):
            return -errno.EACCES, b""
        if request.opcode in (MKDIR, CREATE):  # who comes so far may; there is no room
            return -errno.ENOSPC, b""
        return (0, b"") if request.opcode == ACCESS else super().answer(request)

    def take(self, request):
        self.said = Rules()
        if request.opcode not in self.said.silent:
            self.reply(request)


Judges(tree(3, 3)).mount("judges", place, sys.argv[3] if len(sys.argv) > 3 else "")
