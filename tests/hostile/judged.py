"""Compare what check says with what becomes of a process of the container's user, on a server of judges.py with random rules:

judged.py RULES BINDRIGHT MOUNT_POINT ROUNDS      JUDGED_SEED is the random numbers' seed
"""
import errno
import json
import os
import random
import subprocess
import sys

rules, bindright, place, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
seed = int(os.environ.get("JUDGED_SEED", random.randrange(1 << 32)))
dice = random.Random(seed)
print("JUDGED_SEED=%d" % seed)
PATHS = ["."] + ["d%d" % d for d in range(3)] + ["d%d/f%d" % (d, f) for d in range(3) for f in range(3)]
COMPOSE = """services:
  app:
    image: example
    user: "%d:%d"
    volumes: ["./%s:/data"]
"""


def works(call):
    try:
        call()
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.ENOSPC):
            raise
        return error.errno == errno.ENOSPC
    return True


def opens(path, flags):
    return works(lambda: os.close(os.open(path, flags)))


def serves(path, mode):
    """What check asks for a container that reads and writes: all of a directory, of a file what anybody may by its mode."""
    if os.path.basename(path)[0] != "f":
        return works(lambda: os.listdir(path)) and works(lambda: os.mkdir(path + "/new"))
    bits = mode | mode >> 3 | mode >> 6
    flags = {4: os.O_RDONLY, 2: os.O_WRONLY, 6: os.O_RDWR}.get(bits & 6)
    return works(lambda: os.stat(path)) if flags is None else opens(path, flags)


def find_out(modes):
    misfits = 0
    for name in PATHS:
        path = place if name == "." else place + "/" + name
        misfits += not serves(path, modes[name])
    return misfits


def ask_kernel(uid, modes):
    """In a process of this user."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.write(theirs, b"%d" % find_out(modes))
        os._exit(0)
    os.close(theirs)
    said = os.read(ours, 16)
    os.close(ours)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit("the process that tries it failed")
    return int(said)


def any_bits(usual, simple):
    return usual if simple or dice.random() < 0.6 else dice.choice(["---", "r--", "-w-", "--x", "rw-", "r-x", "-wx", "rwx"])


same = 0
for number in range(rounds):
    uid = dice.choice([1001, 1002])
    usual = dice.choice(["rwx", "rwx", "r-x", "---"]) if number % 5 else "rwx"
    simple = number % 5 == 0 or dice.random() < 0.2
    modes = {}
    lines = ["may 0 * rwx"]
    for path in PATHS:
        modes[path] = dice.choice([0o600, 0o640, 0o644, 0o666, 0] if "/" in path else [0o700, 0o755, 0o777, 0o711, 0])
        lines.append("show %s %o %d %d" % (path, modes[path], dice.choice([uid, 7001]), dice.choice([uid, 7001])))
        lines.append("may %d %s %s" % (uid, path, any_bits(usual, simple)))
    with open(rules, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    with open("judged.yaml", "w", encoding="ascii") as f:
        f.write(COMPOSE % (uid, uid, place))
    run = subprocess.run([bindright, "check", "-f", "judged.yaml", "--format", "json"], stdout=subprocess.PIPE, check=False)
    mount = json.loads(run.stdout)["containers"][0]["mounts"][0]
    misfits = ask_kernel(uid, modes)
    if mount["inodes"]["misfit"] != misfits or mount["fits"] != (misfits == 0) or mount["inodes"]["seen"] != len(PATHS):
        sys.exit("round %d: %d do not fit, and it says: %s" % (number, misfits, mount))
    same += misfits == 0
if same in (0, rounds):
    sys.exit("%d of %d fit: that proves nothing" % (same, rounds))
