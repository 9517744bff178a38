"""Random images, trees and containers for engines_random.sh: engines_random.py SEED COUNT DIRECTORY

Writes below DIRECTORY: images/N/{passwd,group,user}; tree.sh (makes what is mounted: $1, and beside it $1.more and $1.sub) and
attributes.sh (chattr, when all is there); cases, a line each: "engine|runtime|form|image|words", where form is run or compose and @T the
tree in the words; for each case N probes.N, the directories to be tried, "CONTAINER-PATH HOST-PATH" a line (HOST-PATH is - where what is
made there stays in the engine); and for form compose compose.N, the service.
"""
import json
import random
import sys
from pathlib import Path

IMAGES, THINGS, MORE, VOLUMES = 5, 16, 4, 3
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
               "--gidmap 0:100000:65536", "--userns private --uidmap 0:100000:2000",
               "--uidmap 0:100000:1000 --uidmap 1000:200000:5000", "--uidmap 0:0:1 --uidmap 1:100001:65535"],
    "rpodman": ["--userns keep-id", "--userns keep-id", "--userns keep-id:uid=1001,gid=1002", "--userns keep-id:uid=0,gid=0",
                "--userns keep-id:uid=1234", "--userns keep-id:gid=2000", "--userns nomap", "--userns host", "--uidmap 0:1:5000",
                "--uidmap 0:0:1 --uidmap 1:1:2000", "--uidmap 0:1:1001 --uidmap 1001:0:1 --uidmap 1002:1002:3000",
                "--group-add keep-groups", "--userns keep-id --group-add keep-groups", "--gidmap 0:1:5000 --uidmap 0:0:5000"],
}
ENGINES = [("plain", "runc")] * 3 + [("remap", "runc")] * 3 + [("rootless", "runc")] * 2 + [("podman", "runc")] * 4 \
    + [("podman", "crun")] * 3 + [("rpodman", "runc")] * 4 + [("rpodman", "crun")] * 4


def acl(dice, default=False):
    """Entries of every kind, often with a mask of their own."""
    perms = ["---", "r--", "-w-", "--x", "r-x", "rw-", "rwx", "rwx"]
    entries = [f"{dice.choice('ug')}:{dice.choice(OWNERS)}:{dice.choice(perms)}" for _ in range(dice.randint(1, 4))]
    if dice.random() < 0.4:
        entries.append(f"m::{dice.choice(perms)}")
    if default:
        entries += [f"{who}::{dice.choice(perms)}" for who in "ugo" if dice.random() < 0.5]
    return ",".join(("d:" if default else "") + entry for entry in entries)


def thing(dice, name, make, modes):
    """A directory with a file and one to delete."""
    mode = dice.choice(modes) if dice.random() < 0.7 else dice.randrange(0o1000)
    mode_of_file = dice.choice([0o644, 0o600, 0o640, 0o660, 0o666, 0o400, 0o604, 0o060]) if dice.random() < 0.7 else dice.randrange(0o1000)
    print(f"mkdir {name}\necho text >{name}/file\ntouch {name}/victim", file=make)
    for what in ("", "/file", "/victim"):
        print(f"chown {dice.choice(OWNERS)}:{dice.choice(OWNERS)} {name}{what}", file=make)
    print(f"chmod {mode_of_file:o} {name}/file\nchmod {mode:o} {name}", file=make)
    for what in ("", "/file"):
        if dice.random() < 0.35:
            print(f"setfacl -m {acl(dice)} {name}{what}", file=make)
    if dice.random() < 0.25:
        print(f"setfacl -m {acl(dice, True)} {name}", file=make)


def tree(dice, out):
    """All that is mounted."""
    modes = [0o755, 0o700, 0o750, 0o770, 0o777, 0o711, 0o744, 0o070, 0o007, 0o500, 0o1777, 0o2770, 0o1770, 0o730, 0o2775]
    unsticky = [mode & 0o6777 for mode in modes]
    with open(out / "tree.sh", "w", encoding="utf-8") as make, open(out / "attributes.sh", "w", encoding="utf-8") as attributes:
        print("set -e\nmkdir $1 $1.more $1.sub", file=make)
        for i in range(THINGS):
            thing(dice, f"$1/a{i:02}", make, modes)
        for i in range(MORE):
            thing(dice, f"$1.more/b{i}", make, unsticky)
        for i in range(VOLUMES):
            thing(dice, f"$1.more/v{i}", make, unsticky)
        thing(dice, "$1.sub/s0", make, unsticky)
        thing(dice, "$1.sub/s1", make, unsticky)
        print("mount --bind $1.more/b0 $1.sub/s1", file=make)
        if dice.random() < 0.3:
            print(f"chown {dice.choice(OWNERS)}:{dice.choice(OWNERS)} $1\nchmod {dice.choice([0o711, 0o751, 0o755, 0o701, 0o2711]):o} $1", file=make)
        # Of what cannot change its owner :U makes an error.
        if dice.random() < 0.4:
            for i in range(2):
                what = dice.choice(["", "/file", "/victim"])
                print(f"chattr +{dice.choice('iia')} $1/a{i:02}{what}", file=attributes)


class Mount:
    """One of a container's, and where it may be tried."""

    def __init__(self, source, target, read_only=False, how="short", option=""):
        self.source, self.target, self.read_only, self.how, self.option = source, target, read_only, how, option

    def words(self, dice):
        """Of a run line."""
        if self.how == "tmpfs":
            return f"--tmpfs {self.target}"
        if self.how == "long":
            names = dice.choice([("source", "target"), ("src", "dst")])
            return f"--mount type=bind,{names[0]}={self.source},{names[1]}={self.target}{',readonly' if self.read_only else ''}"
        options = ",".join(word for word in (self.option, "ro" if self.read_only else "") if word)
        return f"-v {self.source}:{self.target}{':' if options else ''}{options}"

    def entry(self):
        """Of a compose service."""
        if self.how == "long":
            return {"type": "bind", "source": self.source, "target": self.target, "read_only": self.read_only}
        return f"{self.source}:{self.target}{':ro' if self.read_only else ''}"


def inner_mounts(dice, top):
    """Something in the place of, or inside, what the tree has."""
    place, more = f"{top}/a{dice.randrange(THINGS):02}", f"@T.more/b{dice.randrange(MORE)}"
    read_only, how = dice.random() < 0.3, dice.choice(["short", "long"])
    kind = dice.random()
    if kind < 0.5:
        return [Mount(more, place, read_only, how)]
    if kind < 0.6:
        return [Mount(f"{more}/file", f"{place}/file", read_only, how)]
    if kind < 0.8:
        return [Mount(more, f"{place}/in", read_only, how)]
    if kind < 0.9:
        return [Mount(more, f"{top}/new", read_only, how)]
    # A directory and a file are not mounted on each other.
    return [Mount(*dice.choice([(more, f"{place}/file"), (f"{more}/file", place)]), read_only, how)]


def mounts(dice, engine, form):
    """The tree, and sometimes more."""
    # A rootless engine gives away nothing of root's.
    option = dice.choice(["", "", "", "", "", "U", "O"]) if engine == "podman" else dice.choice([""] * 9 + ["O"]) if engine == "rpodman" else ""
    top = dice.choice(["/m"] * 5 + ["/closed/m", "/shut/m", "/new/place/m"])
    main = Mount("@T", top, dice.random() < 0.2, option=option if form == "run" else "")
    all_ = [main]
    if dice.random() < 0.35 and option != "O":
        all_ += inner_mounts(dice, top)
    if dice.random() < 0.1 and engine in ("plain", "remap", "podman") and option != "U":
        all_.append(Mount("@T.sub", "/s", dice.random() < 0.6))
    if dice.random() < 0.06:
        all_.append(Mount("@T.missing/x", dice.choice(["/x", "/afile"]), False, dice.choice(["short", "short", "long"])))
    if dice.random() < 0.04:
        all_.append(Mount(*dice.choice([("@T.more/b1", "/afile"), ("@T.more/b1/file", "/shut"), ("@T.more/b1/file", "/afile")])))
    if dice.random() < 0.1:
        all_.append(Mount("", dice.choice(["/t", "/shut", "/vol"]), how="tmpfs"))
        if top.startswith(all_[-1].target) or dice.random() < 0.7:
            all_.append(Mount("@T.more/b2", all_[-1].target + "/in"))
    if dice.random() < 0.15 and form == "compose":
        all_.append(Mount(f"@T.more/v{dice.randrange(VOLUMES)}", dice.choice(["/v", "/vol", "/v"]), dice.random() < 0.2, "volume"))
    return all_


def probes(all_):
    """What can be tried: directories of the container, and where what is made there is on the host."""
    out = {}
    for mount in all_:
        overlay = "O" in mount.option.split(",")
        here = {}
        if mount.source == "@T":
            here = {f"{mount.target}/a{i:02}": f"@T/a{i:02}" for i in range(THINGS)}
        elif mount.source == "@T.sub":
            here = {f"{mount.target}/s0": "@T.sub/s0", f"{mount.target}/s1": "@T.more/b0"}
        elif mount.how != "tmpfs" and not mount.source.endswith("/file"):
            here = {mount.target: mount.source}
        # What lies deeper counts.
        for path in [path for path in out if path == mount.target or path.startswith(mount.target + "/")]:
            del out[path]
        out.update({path: "-" if overlay else host for path, host in here.items()})
    return out


def identity(dice, engine):
    """Who it is, as pairs of a kind and its words."""
    out = []
    if dice.random() < 0.5:
        out.append(("space", dice.choice(USERNS[engine])))
    user = dice.choice(USERS)
    if user:
        out.append(("user", user))
    if "keep-groups" not in str(out):
        out += [("group", dice.choice(GROUPS)) for _ in range(dice.choice([0, 0, 0, 1, 2]))]
    if dice.random() < 0.4:
        out.append(("caps", dice.choice(CAPS)))
    if engine in ("podman", "plain") and dice.random() < 0.05:
        out.append(("privileged", ""))
    return out


def run_words(who):
    """Of a run line."""
    forms = {"space": "{}", "user": "--user={}", "group": "--group-add {}", "caps": "{}", "privileged": "--privileged"}
    return [forms[kind].format(words) for kind, words in who]


def service(who, all_, image):
    """Of a compose file."""
    out = {"image": f"localhost/image{image}", "network_mode": "none", "volumes": [], "tmpfs": []}
    for kind, words in who:
        split = words.split()
        if kind == "space":
            out["userns_mode"] = split[1]
        elif kind == "user":
            out["user"] = words
        elif kind == "group":
            out.setdefault("group_add", []).append(words)
        elif kind == "privileged":
            out["privileged"] = True
        else:
            keys = {"--cap-drop": "cap_drop", "--cap-add": "cap_add", "--security-opt": "security_opt"}
            for option, word in zip(split[::2], split[1::2]):
                out.setdefault(keys[option], []).append(word)
    if "group_add" in out:
        out["group_add"] = sorted(set(out["group_add"]))
    volumes = {}
    for mount in all_:
        if mount.how == "tmpfs":
            out["tmpfs"].append(mount.target)
        elif mount.how == "volume":
            name = mount.source.rsplit("/", 1)[1]
            volumes[name] = {"driver_opts": {"type": "none", "o": "bind", "device": mount.source}}
            out["volumes"].append(f"{name}:{mount.target}{':ro' if mount.read_only else ''}")
        else:
            out["volumes"].append(mount.entry())
    return {"services": {"app": out}, "volumes": volumes}


def case(dice, number, out):
    """One container."""
    engine, runtime = dice.choice(ENGINES)
    form = "compose" if "podman" not in engine and dice.random() < 0.5 else "run"
    who, all_, image = identity(dice, engine), mounts(dice, engine, form), dice.randrange(IMAGES)
    lines = [f"{path} {host}\n" for path, host in sorted(probes(all_).items())]
    (out / f"probes.{number}").write_text("".join(lines), encoding="utf-8")
    words = " ".join(run_words(who) + [mount.words(dice) for mount in all_])
    if form == "compose":
        (out / f"compose.{number}").write_text(json.dumps(service(who, all_, image), indent=1), encoding="utf-8")
    return f"{engine}|{runtime}|{form}|{image}|{words}"


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
    (out / "cases").write_text("".join(case(dice, i + 1, out) + "\n" for i in range(count)), encoding="utf-8")


main()
