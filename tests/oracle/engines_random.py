"""Random images, trees and run lines for engines_random.sh: engines_random.py SEED COUNT DIRECTORY

Writes below DIRECTORY: images/N/{passwd,group,user}, tree.sh (makes what is mounted, in the directories $1 and $1.more), attributes.sh
(of what `cp -a` made of it) and cases, a line each: "engine|runtime|image|words of the run line", where @T is the tree.
"""
import random
import sys
from pathlib import Path

IMAGES, THINGS, MORE = 5, 16, 4
PASSWD = [
    "app:x:1001:1002::/:", "big:x:70000:70000::/:", "first:x:1001:11::/:", "svc:x:1005:2000::/:", "short:x:1010",
    "nogid:x:1015:", "weird:x:abc:7", "  blank:x:1020:1021::/:", "#note:x:1030:1030::/:", "", "+plus:x:1040:1041::/:",
    "1234:x:1050:1051::/:", "lead:x:01001:02000::/:", "neg:x:-1:-1::/:", "max:x:2147483647:5::/:", "spare:x: 1060: 1061::/:",
    ":x:1070:1071::/:", "app:x:1006:1007::/:", "kept:x:2001:2001::/:", "crlf:x:1080:1081::/:\r",
]
GROUP = [
    "app:x:1002:", "extra:x:2000:app", "media:x:2001:app,root,svc", "wheel:x:10:root, app", "odd:x:abc:app", "short:x:2002",
    "none:x:2003:", "twice:x:2000:svc", "crlf:x:2005:app\r", "  led:x:2006:app", "many:x:5000:app,first,short,kept",
    "", ":x:2007:app", "kept:x:2001:kept", "far:x:70000:app", "neg:x:-1:svc", "plus:x:+2008:app",
]
OWNERS = [0, 11, 1001, 1002, 1005, 1010, 1015, 1234, 2000, 2001, 3000, 5000, 100000, 101000, 101001, 101002, 101004, 101233,
          101999, 102000, 102001, 104999, 165535, 65534, 200000, 201001, 201002]
USERS = ["", "", "", "app", "app:", "app:extra", "1001", "1001:1002", "1234", "1234:2000", ":2000", "svc", "svc:app", "first", "short",
         "nogid", "weird", "blank", "#note", "+plus", "1050", "lead", "01001", "+1001", "kept", "2001", "2001:2001", "0", "0:0", "root", "0:2000",
         "root:media", "70000", "65535", "65536", "65537", "3000:3000", "none", "1001:none", "crlf", "1080", "spare", "1060", "max", "neg",
         "1005:", "app:2000", "app:odd", "1001:70000", ":", "00", "1001:+2000", "1000:1001", "4999", "5000"]
GROUPS = ["2000", "5000", "extra", "media", "1002", "70000", "0", "wheel", "none", "led", "02000", "65534", "2001"]
CAPS = ["--cap-drop ALL", "--cap-drop dac_override", "--cap-add DAC_READ_SEARCH", "--cap-add CAP_DAC_OVERRIDE", "--cap-drop ALL --cap-add dac_override",
        "--cap-drop ALL --cap-add DAC_READ_SEARCH", "--cap-add CHOWN", "--cap-drop FOWNER", "--cap-drop CAP_DAC_OVERRIDE --cap-add CAP_CHOWN",
        "--cap-drop ALL --cap-add FOWNER", "--security-opt no-new-privileges"]
USERNS = {
    "plain": ["--userns host"],
    "remap": ["--userns host"],
    "rootless": ["--userns host"],
    "podman": ["--userns host", "--uidmap 0:100000:65536", "--uidmap 0:100000:65536 --gidmap 0:200000:65536",
               "--subuidname br-test --subgidname br-test",
               "--gidmap 0:100000:65536", "--userns private --uidmap 0:100000:2000"],
    "rpodman": ["--userns keep-id", "--userns keep-id", "--userns keep-id:uid=1001,gid=1002", "--userns keep-id:uid=0,gid=0",
                "--userns keep-id:uid=1234", "--userns keep-id:gid=2000", "--userns nomap", "--userns host", "--uidmap 0:1:5000",
                "--uidmap 0:0:1 --uidmap 1:1:2000", "--uidmap 0:1:1001 --uidmap 1001:0:1 --uidmap 1002:1002:3000",
                "--group-add keep-groups", "--userns keep-id --group-add keep-groups", "--gidmap 0:1:5000 --uidmap 0:0:5000"],
}
ENGINES = [("plain", "runc")] * 3 + [("remap", "runc")] * 3 + [("rootless", "runc")] * 2 + [("podman", "runc")] * 4 \
    + [("podman", "crun")] * 3 + [("rpodman", "runc")] * 4 + [("rpodman", "crun")] * 4


def acl(dice):
    """Entries of every kind, often with a mask of their own."""
    perms = ["---", "r--", "-w-", "--x", "r-x", "rw-", "rwx", "rwx"]
    entries = [f"{dice.choice('ug')}:{dice.choice(OWNERS)}:{dice.choice(perms)}" for _ in range(dice.randint(1, 4))]
    if dice.random() < 0.4:
        entries.append(f"m::{dice.choice(perms)}")
    return ",".join(entries)


def tree(dice, out):
    """Directories with a file and one to delete in each."""
    modes = [0o755, 0o700, 0o750, 0o770, 0o777, 0o711, 0o744, 0o070, 0o007, 0o500, 0o1777, 0o2770, 0o1770, 0o730]
    with open(out / "tree.sh", "w", encoding="utf-8") as make, open(out / "attributes.sh", "w", encoding="utf-8") as attributes:
        print("set -e\nmkdir $1 $1.more", file=make)
        for i in range(THINGS + MORE):
            name = f"$1/a{i:02}" if i < THINGS else f"$1.more/b{i - THINGS}"
            mode = dice.choice(modes) if dice.random() < 0.7 else dice.randrange(0o1000)
            mode &= 0o7777 if i < THINGS else 0o6777
            mode_of_file = dice.choice([0o644, 0o600, 0o640, 0o660, 0o666, 0o400, 0o604, 0o060]) if dice.random() < 0.7 else dice.randrange(0o1000)
            print(f"mkdir {name}\necho text >{name}/file\ntouch {name}/victim", file=make)
            for what in ("", "/file", "/victim"):
                print(f"chown {dice.choice(OWNERS)}:{dice.choice(OWNERS)} {name}{what}", file=make)
            print(f"chmod {mode_of_file:o} {name}/file\nchmod {mode:o} {name}", file=make)
            for what in ("", "/file"):
                if dice.random() < 0.35:
                    print(f"setfacl -m {acl(dice)} {name}{what}", file=make)
            # Of what cannot change its owner :U makes an error.
            if i == 0 and dice.random() < 0.3:
                print(f"chattr +i {name}{dice.choice(['', '/file'])}", file=attributes)


def mounts(dice, engine):
    """The tree at /m, and sometimes another directory in the place of one of it."""
    # A rootless engine gives away nothing of root's; in user namespaces, the mount behind :O is refused here.
    option = dice.choice(["", "", "", "", ":ro"] + ([":U", ":U,ro"] if engine == "podman" else []))
    words = [f"-v @T:/m{option}"]
    if dice.random() < 0.3:
        inner, place = dice.randrange(MORE), dice.randrange(THINGS)
        words.append(dice.choice([f"-v @T.more/b{inner}:/m/a{place:02}", f"-v @T.more/b{inner}:/m/a{place:02}:ro",
                                  f"--mount type=bind,source=@T.more/b{inner},target=/m/a{place:02}",
                                  f"--mount type=bind,src=@T.more/b{inner},dst=/m/a{place:02},readonly"]))
    return " ".join(words)


def case(dice):
    """One run line."""
    engine, runtime = dice.choice(ENGINES)
    words = []
    if dice.random() < 0.5:
        words.append(dice.choice(USERNS[engine]))
    user = dice.choice(USERS)
    if user:
        words.append(f"--user={user}")
    if "keep-groups" not in " ".join(words):
        words += [f"--group-add {dice.choice(GROUPS)}" for _ in range(dice.choice([0, 0, 0, 1, 2]))]
    if dice.random() < 0.4:
        words.append(dice.choice(CAPS))
    if engine == "podman" and dice.random() < 0.05:
        words.append("--privileged")
    words.append(mounts(dice, engine))
    return f"{engine}|{runtime}|image{dice.randrange(IMAGES)}|{' '.join(words)}"


def main():
    """All from one seed."""
    seed, count, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    dice = random.Random(seed)
    for i in range(IMAGES):
        image = out / "images" / str(i)
        image.mkdir(parents=True)
        for name, first, pool in (("passwd", "root:x:0:0::/:", PASSWD), ("group", "root:x:0:", GROUP)):
            lines = [first] + dice.sample(pool, dice.randint(6, len(pool)))
            (image / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
        (image / "user").write_text(dice.choice(["", "", "app", "1001:2000", "1234"]), encoding="utf-8")
    tree(dice, out)
    (out / "cases").write_text("".join(case(dice) + "\n" for _ in range(count)), encoding="utf-8")


main()
