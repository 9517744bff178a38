"""Compare what an engine made of run lines with what bindright understood of them: run_lines.py docker|podman MADE UNDERSTOOD

MADE is the list that `inspect` of all containers gives; UNDERSTOOD has what `bindright inspect --format json` wrote, one after the other. Containers are known by their names.
"""
import json
import os
import sys

DEFAULT = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
           "SYS_CHROOT"}


def short(caps):
    return {c.upper().removeprefix("CAP_") for c in caps or []}


def path(p):
    return os.path.normpath(p) if p else p


def of_docker(c):
    host = c["HostConfig"]
    return {
        "user": c["Config"]["User"] or "",
        "group_add": host["GroupAdd"] or [],
        "userns": host["UsernsMode"] or "",
        "privileged": host["Privileged"],
        "read_only": host["ReadonlyRootfs"],
        "cap_add": short(host["CapAdd"]),
        "cap_drop": short(host["CapDrop"]),
        "security_opt": sorted(host["SecurityOpt"] or []),
        "network": host["NetworkMode"],
        "pid": host["PidMode"],
        "entrypoint": bool(c["Config"]["Entrypoint"]),
        "mounts": sorted(
            (path(m["Source"]), path(m["Destination"]), not m["RW"], m["Propagation"])
            for m in c["Mounts"] if m["Type"] == "bind"),
    }


def like_docker(c):
    return {
        "user": c["user"] or "",
        "group_add": c["group_add"],
        "userns": c["userns_mode"] or "",
        "privileged": c["privileged"],
        "read_only": c["read_only"],
        "cap_add": short(c["cap_add"]),
        "cap_drop": short(c["cap_drop"]),
        "security_opt": sorted(c["security_opt"]),
        "network": c["network_mode"] or "default",
        "pid": c["pid"] or "",
        "entrypoint": c["entrypoint_replaced"],
        "mounts": sorted(
            (path(m["source"]), path(m["target"]), m["read_only"], m["propagation"] or "rprivate")
            for m in c["mounts"] if m["type"] == "bind"),
    }


def maps(host):
    both = host.get("IDMappings") or {}
    return both.get("UidMap") or [], both.get("GidMap") or []


def of_podman(c):
    host = c["HostConfig"]
    uids, gids = maps(host)
    return {
        "user": c["Config"]["User"] or "",
        "group_add": host["GroupAdd"] or [],
        "privileged": host["Privileged"],
        "read_only": host["ReadonlyRootfs"],
        "bounding": None if host["Privileged"] else short(c["BoundingCaps"]),
        "network": host["NetworkMode"],
        "pid": host["PidMode"],
        "uids": uids,
        "gids": gids,
        "umask": int(c["Config"]["Umask"], 8),
        "mounts": sorted(
            (path(m["Source"]), path(m["Destination"]), not m["RW"], m["Propagation"], "U" in m["Options"],
             any(o.startswith("idmap") for o in m["Options"]))
            for m in c["Mounts"] if m["Type"] == "bind"),
    }


def bounding(c, everything):
    add, drop = short(c["cap_add"]), short(c["cap_drop"])
    caps = set() if "ALL" in drop else set(DEFAULT)
    if "ALL" in add:
        return everything - drop
    return (caps | add) - drop if "ALL" not in drop else add


def full_maps(c, made):
    # One map alone is both; a name stands for the ranges of the host's files.
    uids, gids = c["uid_maps"], c["gid_maps"]
    if c["subuid_name"]:
        return made
    return uids or gids, gids or uids


def like_podman(c, made, everything):
    group_add = c["group_add"]
    return {
        "user": c["user"] or "",
        "group_add": [] if group_add == ["keep-groups"] else group_add,
        "privileged": c["privileged"],
        "read_only": c["read_only"],
        "bounding": None if c["privileged"] else bounding(c, everything),
        "network": c["network_mode"] or "none",
        "pid": c["pid"] or "private",
        "uids": full_maps(c, (made["uids"], made["gids"]))[0],
        "gids": full_maps(c, (made["uids"], made["gids"]))[1],
        "umask": int(c["umask"] or "22", 8),
        "mounts": sorted(
            (path(m["source"]), path(m["target"]), m["read_only"], m["propagation"] or "rprivate", m["chown"],
             m["idmap"] is not None)
            for m in c["mounts"] if m["type"] == "bind" and not m["overlay"]),
    }


def main():
    engine = sys.argv[1]
    made = {c["Name"].lstrip("/"): c for c in json.load(open(sys.argv[2]))}
    understood = {}
    text = open(sys.argv[3]).read().strip()
    while text:
        one, end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip()
        for c in one["containers"]:
            understood[c["name"]] = c
    everything = set()
    for c in made.values():
        everything |= short(c.get("BoundingCaps"))
    wrong = 0
    for name, c in made.items():
        if name not in understood:
            print(f"{name}: not understood")
            wrong += 1
            continue
        want = of_docker(c) if engine == "docker" else of_podman(c)
        ours = understood[name]
        got = like_docker(ours) if engine == "docker" else like_podman(ours, want, everything)
        if want.get("security_opt") == ["label=disable"]:
            # What the engine itself adds, for privileged containers and the host's namespaces.
            want["security_opt"] = got["security_opt"]
        for key in want:
            if want[key] != got[key]:
                print(f"{name}: {key}: the engine has {want[key]!r}, bindright {got[key]!r}")
                wrong += 1
    extra = set(understood) - set(made)
    if extra:
        print("only understood:", *sorted(extra))
        wrong += 1
    print(f"{len(made)} containers, {wrong} differences")
    sys.exit(1 if wrong else 0)


main()
