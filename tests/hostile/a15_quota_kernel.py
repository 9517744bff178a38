#!/usr/bin/python3
"""The first process of a kernel that has quotas: a15_quota_kernel.sh starts it. What bindright says of a change of owner, and what chown() says."""
import ctypes
import errno
import json
import os
import random
import shutil
import struct
import subprocess
import time
import traceback

libc = ctypes.CDLL(None, use_errno=True)
INIT_MODULE, QUOTACTL_FD, CAPSET = 313, 443, 126
USER, GROUP = 0, 1
GET, SET = 0x800007 << 8, 0x800008 << 8
LIMITS, TIMES = 5, 48
FOWNER, SYS_RESOURCE = 3, 24
APP, OLD = 1001, 7001
POWER_OFF = 0x4321FEDC

os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
dice = random.Random(int(os.environ.get("QUOTA_SEED", "7")))
rounds = int(os.environ.get("QUOTA_ROUNDS", "40"))
bindright = os.environ["QUOTA_BINDRIGHT"]


def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def must(*command):
    code, said = run(*command)
    if code != 0:
        raise AssertionError(f"{command}: {code}: {said}")


class Disk:
    """A file system with quotas, and one project on it."""

    def __init__(self, kind, device, options):
        self.kind, self.device, self.top = kind, device, "/mnt/" + kind
        os.mkdir(self.top, 0o755)
        must("mount", device, self.top, "-o", options)
        self.data = self.top + "/data"
        self.serves(APP)

    def serves(self, number):
        with open(self.top + "/compose.yaml", "w", encoding="ascii") as f:
            f.write(f'services:\n  app:\n    image: example\n    user: "{number}:{number}"\n    volumes: ["./data:/data"]\n')

    def quota(self, command, kind, number, block):
        fd = os.open(self.top, os.O_PATH)
        try:
            call(QUOTACTL_FD, fd, ctypes.c_uint(command | kind), number, block)
        finally:
            os.close(fd)

    def limit(self, kind, number, space=(0, 0), inodes=(0, 0), past=False):
        """(soft, hard), in KiB and inodes; past: the time above the soft ones is over."""
        until = int(time.time()) - 100 if past else 0
        block = struct.pack("=8QI4x", space[1], space[0], 0, inodes[1], inodes[0], 0, until, until, LIMITS | (TIMES if past else 0))
        self.quota(SET, kind, number, ctypes.create_string_buffer(block, len(block)))

    def usage(self, kind, number):
        block = ctypes.create_string_buffer(72)
        try:
            self.quota(GET, kind, number, block)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            return 0, 0
        values = struct.unpack("=8QI4x", block.raw)
        return values[2], values[5]

    def fill(self, files):
        """A tree of OLD's: files are (bytes, names)."""
        shutil.rmtree(self.data, ignore_errors=True)
        os.mkdir(self.data, 0o750)
        for i, (size, names) in enumerate(files):
            path = f"{self.data}/{i}"
            if dice.random() < 0.2:
                path = f"{self.data}/d{i}"
                os.mkdir(path, 0o750)
                path += "/f"
            with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o640)) as f:
                f.write(b"x" * size)
                if dice.random() < 0.2:
                    f.truncate(size + (1 << 24))
            for k in range(1, names):
                os.link(path, f"{self.data}/{i}-{k}")
        for path in self.inodes():
            os.chown(path, OLD, OLD, follow_symlinks=False)
        run("sync", "-f", self.top)

    def inodes(self):
        """One name of each."""
        found = {os.stat(self.data).st_ino: self.data}
        for path, below, names in os.walk(self.data):
            for name in below + names:
                found[os.lstat(f"{path}/{name}").st_ino] = f"{path}/{name}"
        return list(found.values())

    def tell(self, command, *options):
        return run(bindright, command, "-f", self.top + "/compose.yaml", "--sysroot", "/mnt/host", *options)

    def foretell(self):
        code, said = self.tell("plan", "--strategy", "chown", "--format", "json", "-o", "/mnt/report")
        with open("/mnt/report", encoding="utf-8") as f:
            plan = json.load(f)["plan"]
        assert code == 1, (code, said)
        assert not plan["left"] and (plan["changes"] == 0) == bool(plan["refusals"]), plan
        return plan

    def fix(self, *options):
        return self.tell("fix", "--yes", "-q", *options)

    def belongs(self, number):
        return all(os.lstat(path).st_uid == number for path in self.inodes())

    def give(self, uid, gid):
        """Whether chown() goes through for who is bound by limits: all that root can but CAP_SYS_RESOURCE, and CAP_FOWNER, for which XFS lets them pass."""
        paths = self.inodes()
        dice.shuffle(paths)
        before = [os.lstat(path) for path in paths]
        child = os.fork()
        if child == 0:
            rights = 0xFFFFFFFF & ~(1 << SYS_RESOURCE | 1 << FOWNER)
            call(CAPSET, struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", rights, 0xFFFFFFFF, 0, 0xFF, 0xFF, 0))
            code = 2
            try:
                for path in paths:
                    os.chown(path, uid, gid, follow_symlinks=False)
                code = 0
            except OSError as error:
                code = 1 if error.errno == errno.EDQUOT else 2
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code < 2
        for path, old in zip(paths, before):
            os.chown(path, old.st_uid, old.st_gid, follow_symlinks=False)
            os.chmod(path, old.st_mode & 0o7777)
        return code == 0


def any_limits(has, tree, unit):
    """Around what it takes, so that both happen; in units, with 0 for none."""
    def near():
        return max(1, (has + tree) // unit + dice.choice([-1, 0, 1, 2, dice.randint(-40, 40)]))
    return (near() if dice.random() < 0.4 else 0, near() if dice.random() < 0.6 else 0)


def one_round(disk):
    disk.limit(USER, APP)
    mine = disk.top + "/mine"
    with open(mine, "wb") as f:
        f.write(b"x" * dice.choice([0, 0, 4096, dice.randrange(200000)]))
    os.chown(mine, APP, OLD)
    disk.fill([(dice.choice([0, 1, 4096, dice.randrange(100000)]), dice.choice([1, 1, 1, 2])) for _ in range(dice.randrange(1, 12))])
    space, count = disk.usage(USER, APP)
    sizes = [os.lstat(path).st_blocks * 512 for path in disk.inodes()]
    past = dice.random() < 0.5
    limits = any_limits(space, sum(sizes), 1024), any_limits(count, len(sizes), 1)
    if past:
        # Time is kept for who is above already.
        limits = (max(1, space // 1024 - dice.choice([-2, 0, 1, 9])), limits[0][1]), (max(1, count - dice.choice([-1, 0, 1])), limits[1][1])
    disk.limit(USER, APP, *limits, past=past)
    plan = disk.foretell()
    fits = disk.give(APP, -1)
    told = f"{disk.kind}: has {space} bytes and {count} inodes, gets {sum(sizes)} and {len(sizes)}, limits {limits}, past {past}: "
    disk.limit(USER, APP)
    disk.limit(USER, APP, *limits, past=past)
    if fits != (not plan["refusals"]):
        raise AssertionError(told + f"the kernel says {fits}, the plan {plan['refusals']}")
    code, said = disk.fix("--strategy", "chown")
    if code != (0 if fits else 3) or not disk.belongs(APP if fits else OLD):
        raise AssertionError(told + f"fix: {code}: {said}")
    if fits:
        must(bindright, "undo", "--yes")
        assert disk.belongs(OLD)
    return fits


def by_hand(disk):
    disk.limit(USER, APP)
    # Without its being asked for nothing changes hands: root's files, which the container's user could own.
    disk.fill([(3 << 20, 1), (1 << 20, 1)])
    for path in disk.inodes():
        os.chown(path, 0, 0)
    disk.limit(USER, APP, space=(0, 2048))
    code, said = disk.fix()
    assert code == 0 and disk.belongs(0), said
    must(bindright, "undo", "--yes")
    code, said = disk.fix("--strategy", "chown")
    assert code == 3 and "to uid 1001, who has" in " ".join(said.split()) and f"/mnt/{disk.kind} ({disk.kind})" in said, said
    disk.limit(USER, APP, space=(2048, 0))
    code, said = disk.tell("plan", "--strategy", "chown")
    assert code == 1 and "past the soft limit of the quota" in " ".join(said.split()), said
    # A group's: it goes along where that makes no difference.
    disk.limit(USER, APP)
    disk.fill([(3 << 20, 1)])
    for path in disk.inodes():
        os.chown(path, 0, 0)
        os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    for hard in (2048, 8192):
        disk.limit(GROUP, APP, space=(0, hard))
        assert disk.give(-1, APP) == (hard > 4096)
        refused = disk.foretell()["refusals"]
        assert bool(refused) == (hard < 4096), refused
        assert not refused or "to group 1001, who has 2 MiB left" in refused[0]["rule"], refused
    # Who is not root may ask about the groups that he is in.
    for path in disk.inodes():
        os.chown(path, OLD, OLD)
        os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)
    for hard in (2048, 8192):
        disk.limit(GROUP, APP, space=(0, hard))
        code, said = run(
            "setpriv", f"--reuid={OLD}", f"--regid={OLD}", f"--groups={APP}", bindright, "plan", "-f", disk.top + "/compose.yaml",
            "--sysroot", "/mnt/host", "--strategy", "group", "--format", "json")
        plan = json.loads(said[said.index("{"):])["plan"]
        assert code == 1 and bool(plan["refusals"]) == (hard < 4096) == (plan["changes"] == 0), said
    disk.limit(GROUP, APP)


def undone(disk):
    """The old owner has no room for what comes back; who has, gets it."""
    disk.fill([(1 << 20, 1)] * 6)
    code, said = disk.fix("--strategy", "chown")
    assert code == 0 and disk.belongs(APP), said
    disk.limit(USER, OLD, space=(0, disk.usage(USER, OLD)[0] // 1024 + 3072))
    code, said = run(bindright, "undo", "--yes")
    assert code == 3 and "Disk quota exceeded" in said, (code, said)
    back = [path for path in disk.inodes() if os.lstat(path).st_uid == OLD]
    assert 0 < len(back) < 7, back
    disk.limit(USER, OLD)
    must(bindright, "undo", "--yes")
    assert disk.belongs(OLD)


def defaults(disk):
    """XFS: those of ID 0 are for whoever has none of his own; ID 0 has none."""
    disk.limit(USER, APP)
    disk.fill([(3 << 20, 1)])
    disk.limit(USER, 0, space=(0, 2048))
    assert disk.foretell()["refusals"] and not disk.give(APP, -1)
    disk.limit(USER, APP, space=(0, 1 << 20))
    assert not disk.foretell()["refusals"] and disk.give(APP, -1)
    # Nobody ever had anything there.
    disk.serves(31001)
    assert disk.foretell()["refusals"] and not disk.give(31001, -1)
    # Whom it gave something has them as his own from then on (xfs_qm_adjust_dqlimits()).
    disk.limit(USER, 0)
    assert bool(disk.foretell()["refusals"]) != disk.give(31001, -1)
    disk.serves(31002)
    assert not disk.foretell()["refusals"] and disk.give(31002, -1)


def unenforced(disk):
    """Counted, with limits that nobody is held to."""
    disk.limit(USER, APP, space=(0, 1024))
    disk.fill([(3 << 20, 1)])
    assert disk.foretell()["refusals"]
    must("umount", disk.top)
    must("mount", disk.device, disk.top)
    assert not disk.foretell()["refusals"] and disk.give(APP, -1)


def main():
    must("mount", "-t", "proc", "proc", "/proc")
    must("mount", "-t", "sysfs", "sysfs", "/sys")
    must("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    must("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib")
    os.mkdir("/var/lib/bindright", 0o700)
    # The accounts of this machine decide about nothing here.
    os.makedirs("/mnt/host/etc")
    for name in ("passwd", "group"):
        with open("/mnt/host/etc/" + name, "w", encoding="ascii") as f:
            f.write("root:x:0:0::/root:/bin/sh\n" if name == "passwd" else "root:x:0:\n")
    os.environ["HOME"] = "/mnt"
    for name in ("quota_tree", "quota_v2"):
        fd = os.open(f"{os.environ['QUOTA_MODULES']}/{name}.ko", os.O_RDONLY)
        call(INIT_MODULE, fd, b"", 0)
        os.close(fd)
    disks = [Disk("ext4", "/dev/ubda", "usrquota,grpquota"), Disk("xfs", "/dev/ubdb", "uquota,gquota")]
    told = []
    for disk in disks:
        fitted = sum(one_round(disk) for _ in range(rounds))
        assert rounds < 20 or 0 < fitted < rounds, fitted
        told.append(f"{fitted} of {rounds} fitted on {disk.kind}")
        by_hand(disk)
    undone(disks[0])
    unenforced(disks[0])
    defaults(disks[1])
    print("all as foretold: ext4 and xfs: " + ", ".join(told), flush=True)


try:
    main()
except BaseException:  # what is left of it is said, and the machine stops all the same
    traceback.print_exc()
finally:
    os.sync()
    libc.reboot(POWER_OFF)
