"""Write bundles, and compare what containers of them could do with what bindright said: bundles.py write ROOTFS DIR | bundles.py compare DIR

A case is a directory's owner and mode, and what of the config differs from the plain one. What a container can do at /data are three letters: it lists
it, it makes and removes a file in it, it enters it. "none": it does not start.
"""
import json
import os
import subprocess
import sys

PROBE = ("r=-; w=-; x=-; ls /data >/dev/null 2>&1 && r=r; (cd /data) 2>/dev/null && x=x; "
         "touch /data/n 2>/dev/null && { w=w; rm -f /data/n; }; echo \"$r$w$x\"")
ALL = ["bounding", "effective", "permitted", "inheritable", "ambient"]
DAC, READ = "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"


def user(uid=0, gid=0, groups=None, **more):
    return {"user": {"uid": uid, "gid": gid, **({"additionalGids": groups} if groups else {}), **more}}


def caps(cap, sets, nnp=False):
    return {"capabilities": {s: [cap] for s in sets}, "noNewPrivileges": nnp}


def maps(host=100000, size=65536, ghost=None):
    return {"linux": {"uidMappings": [{"containerID": 0, "hostID": host, "size": size}],
                      "gidMappings": [{"containerID": 0, "hostID": ghost if ghost is not None else host, "size": size}]}}


ROOT3 = ["bounding", "effective", "permitted"]
# owner, group, mode, changes of the process, changes of the config, options of the mount
CASES = [
    (0, 0, 0o755, user(), {}, []),
    (0, 0, 0o700, user(), {}, []),
    (1001, 1001, 0o755, user(), {}, []),
    (1001, 1001, 0o700, user(), {}, []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ROOT3)}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ["bounding"])}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ["bounding", "permitted"])}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ["bounding", "permitted"], True)}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ["bounding"], True)}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps(READ, ROOT3)}, {}, []),
    (1001, 1001, 0o733, {**user(), **caps(READ, ROOT3)}, {}, []),
    (1001, 1001, 0o700, {**user(), **caps("CAP_CHOWN", ALL)}, {}, []),
    (1001, 1001, 0o755, user(1001, 1001), {}, []),
    (1001, 1001, 0o555, user(1001, 1001), {}, []),
    (1001, 1001, 0o077, user(1001, 1001), {}, []),
    (0, 0, 0o755, user(1001, 1001), {}, []),
    (0, 0, 0o777, user(1001, 1001), {}, []),
    (0, 0, 0o700, user(1234, 0), {}, []),
    (0, 0, 0o770, user(1234, 0), {}, []),
    (0, 1001, 0o770, user(1234, 1001), {}, []),
    (0, 2000, 0o770, user(1234, 1234), {}, []),
    (0, 2000, 0o770, user(1234, 1234, [2000]), {}, []),
    (0, 2000, 0o750, user(1234, 1234, [3000, 2000]), {}, []),
    (0, 2000, 0o707, user(1234, 1234, [2000]), {}, []),
    (0, 0, 0o711, user(1234, 1234), {}, []),
    (0, 0, 0o744, user(1234, 1234), {}, []),
    (0, 0, 0o722, user(1234, 1234), {}, []),
    (0, 0, 0o700, {**user(1234, 1234), **caps(DAC, ROOT3)}, {}, []),
    (0, 0, 0o700, {**user(1234, 1234), **caps(DAC, ALL)}, {}, []),
    (0, 0, 0o700, {**user(1234, 1234), **caps(DAC, ["bounding", "effective", "permitted", "inheritable"])}, {}, []),
    (0, 0, 0o700, {**user(1234, 1234), **caps(READ, ALL)}, {}, []),
    (0, 0, 0o700, {**user(1234, 1234), **caps(DAC, ALL, True)}, {}, []),
    (1001, 1001, 0o755, user(1001, 1001), {}, ["ro"]),
    (0, 0, 0o700, {**user(), **caps(DAC, ALL)}, {}, ["ro"]),
    (1001, 1001, 0o755, user(1001, 1001), {}, ["rw"]),
    (1001, 1001, 0o755, {"user": {"username": "nonroot"}}, {}, []),
    (0, 0, 0o755, user(), maps(), []),
    (100000, 100000, 0o755, user(), maps(), []),
    (101001, 101001, 0o700, user(1001, 1001), maps(), []),
    (1001, 1001, 0o700, user(1001, 1001), maps(), []),
    (101001, 101001, 0o700, {**user(), **caps(DAC, ROOT3)}, maps(), []),
    (1001, 1001, 0o700, {**user(), **caps(DAC, ROOT3)}, maps(), []),
    (101001, 7, 0o700, {**user(), **caps(DAC, ROOT3)}, maps(), []),
    (0, 200005, 0o770, user(1001, 5), maps(100000, 65536, 200000), []),
    (0, 0, 0o777, user(1001, 1001), maps(), []),
    (0, 0, 0o777, user(70000, 70000), maps(), []),
    (101001, 101001, 0o770, user(1001, 1001, [5]), maps(100000, 2000), []),
    (0, 0, 0o755, user(), {"linux": {"uidMappings": [], "gidMappings": []}}, []),
    (1001, 1001, 0o755, user(1001, 1001, umask=0o77), {"root": {"readonly": True}}, []),
    (2147483647, 1, 0o700, user(2147483647, 1), {}, []),
    (1001, 1001, 0o755, user(1001, 1001), {"mount": {"options": []}}, []),
    (1001, 1001, 0o755, user(1001, 1001), {"mount": {"options": ["bind"], "type": "none"}}, []),
    (1001, 1001, 0o755, user(1001, 1001), {"mount": {"options": ["bind", "ro"], "type": ""}}, []),
    (1001, 1001, 0o755, user(1001, 1001), {"mount": {"source": "missing"}}, []),
    (1001, 1001, 0o755, user(1001, 1001), {"mount": {"destination": "data"}}, []),
]


def config(case, rootfs, data):
    _, _, _, process, change, options = case
    namespaces = [{"type": t} for t in ("pid", "ipc", "uts", "mount", "network")]
    out = {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "args": ["sh", "-c", PROBE], "env": ["PATH=/bin"], "cwd": "/", **process},
        "root": {"path": rootfs, "readonly": False, **change.get("root", {})},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {"destination": "/data", "type": "bind", "source": data, "options": ["rbind", *options],
             **change.get("mount", {})},
        ],
        "linux": {"namespaces": namespaces, **change.get("linux", {})},
    }
    if out["linux"].get("uidMappings"):
        namespaces.append({"type": "user"})
    return out


def write(rootfs, where):
    for n, case in enumerate(CASES, 1):
        bundle = os.path.join(where, f"c{n}")
        os.makedirs(os.path.join(bundle, "data"))
        os.chown(os.path.join(bundle, "data"), case[0], case[1])
        os.chmod(os.path.join(bundle, "data"), case[2])
        # Half of the sources are relative to the bundle.
        data = "data" if n % 2 else os.path.join(bundle, "data")
        with open(os.path.join(bundle, "config.json"), "w") as f:
            json.dump(config(case, rootfs, data), f, indent=2)


def said(bundle):
    run = subprocess.run([os.environ["BINDRIGHT"], "check", "--format", "json", "-f", bundle], capture_output=True, text=True)
    report = json.loads(run.stdout) if run.stdout.strip() else {}
    if run.returncode == 2 or any(f["code"] in ("BR202", "BR307") for f in report.get("findings", [])):
        return "none"
    have = report["containers"][0]["mounts"][0]["have"]
    writes = "w" if "w" in have and "x" in have else "-"
    return have[0] + writes + ("x" if "x" in have else "-")


def compare(where):
    wrong = 0
    for n in range(1, len(CASES) + 1):
        bundle = os.path.join(where, f"c{n}")
        got = said(bundle)
        for runtime in ("runc", "crun"):
            seen = open(os.path.join(bundle, runtime)).read().strip() or "none"
            if seen != got:
                print(f"c{n}: {runtime} {seen}, bindright {got}: {CASES[n - 1]}")
                print(open(os.path.join(bundle, runtime + ".err")).read())
                wrong += 1
    print(f"{len(CASES)} bundles, {wrong} differences")
    sys.exit(1 if wrong else 0)


write(*sys.argv[2:]) if sys.argv[1] == "write" else compare(sys.argv[2])
