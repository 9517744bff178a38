"""What `docker compose config` makes of a project, against what `bindright inspect` makes of it.

Both are brought to one plain form, a dict of services, each a dict of fields. Only what bears on identity and mounts is in it.
"""

import json
import os
import subprocess


class Request:
    """One run: which files, which options, which environment. Paths are as a user in `cwd` would write them."""

    def __init__(self, cwd):
        self.cwd = cwd
        self.files = []
        self.services = []
        self.profiles = []
        self.env_files = []
        self.overrides = []
        self.environment = {"PATH": "/bin", "HOME": "/home/u"}
        self.directory = None
        self.name = None
        self.stdin = None
        self.version = None

    def options(self):
        words = []
        for option, values in (("-f", self.files), ("--profile", self.profiles), ("--env-file", self.env_files)):
            for value in values:
                words += [option, value]
        if self.directory:
            words += ["--project-directory", self.directory]
        if self.name:
            words += ["-p", self.name]
        return words

    def run(self, argv, environment):
        stdin = open(self.stdin, "rb") if self.stdin else subprocess.DEVNULL
        try:
            return subprocess.run(argv, cwd=self.cwd, env=environment, stdin=stdin, capture_output=True, timeout=60)
        finally:
            if self.stdin:
                stdin.close()


def read_request(folder):
    """The `request` of a case in tests/spec: the words that support/cases.c knows."""
    request = Request(folder)
    path = os.path.join(folder, "request")
    lines = open(path, encoding="utf-8").read().splitlines() if os.path.exists(path) else []
    for line in lines:
        key, value = line.split(" ", 1)
        if key == "cwd":
            request.cwd = os.path.normpath(os.path.join(folder, value))
        elif key == "stdin":
            request.stdin = os.path.join(folder, value)
        elif key == "directory":
            request.directory = value
        elif key == "name":
            request.name = value
        elif key == "home":
            del request.environment["HOME"]
        elif key == "env":
            name, text = value.split("=", 1)
            request.environment[name] = text
        elif key == "override":
            request.overrides.append(value)
        elif key == "version":
            request.version = int(value)
        else:
            {"file": request.files, "service": request.services, "profile": request.profiles, "env-file": request.env_files}[
                key
            ].append(value)
    return request


# ---- compose ----


def undouble(value):
    """`config` writes every dollar sign twice."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [undouble(v) for v in value]
    if isinstance(value, dict):
        return {k: undouble(v) for k, v in value.items()}
    return value


def device_of(volumes, name):
    """The host directory behind a named volume of the local driver, with whether its options make it read-only; None where it is none."""
    volume = (volumes or {}).get(name) or {}
    options = volume.get("driver_opts") or {}
    words = (options.get("o") or "").split(",")
    if volume.get("external") or volume.get("driver", "local") != "local" or "device" not in options:
        return None
    if "bind" not in words and "rbind" not in words:
        return None
    return options["device"], "ro" in words


def compose_mount(project, volume):
    """One entry of a service's volumes; None where it reaches no host path."""
    bind = volume.get("bind") or {}
    mount = {
        "type": "bind",
        "source": volume.get("source"),
        "target": volume["target"],
        "read_only": bool(volume.get("read_only")),
        # `config` leaves a false out.
        "create_host_path": bind.get("create_host_path") or None,
        "selinux": bind.get("selinux"),
        "propagation": bind.get("propagation"),
        "recursive": bind.get("recursive"),
    }
    if volume["type"] == "bind":
        return mount
    device = device_of(project.get("volumes"), volume.get("source")) if volume["type"] == "volume" else None
    if not device:
        return None
    mount.update(type="volume-bind", source=device[0], read_only=mount["read_only"] or device[1], create_host_path=None)
    return mount


def compose_files(project, service, kind):
    """Secrets or configs that are files."""
    for use in service.get(kind) or []:
        name = use["source"]
        file = ((project.get(kind) or {}).get(name) or {}).get("file")
        target = use.get("target") or name
        if not file:
            continue
        if not target.startswith("/"):
            target = ("/run/secrets/" if kind == "secrets" else "/") + target
        yield {
            "type": kind[:-1],
            "source": file,
            "target": target,
            "read_only": True,
            "create_host_path": None,
            "selinux": None,
            "propagation": None,
            "recursive": None,
        }


# What is compared of a mount; bindright says more.
MOUNT = ("type", "source", "target", "read_only", "create_host_path", "selinux", "propagation", "recursive")

# `config` leaves an empty word out, which means the same.
EMPTY_IS_ABSENT = ("image", "user", "userns_mode", "network_mode", "pid", "ipc")


def compose_service(project, service):
    build = service.get("build")
    return {
        "image": service.get("image"),
        "user": service.get("user"),
        "userns_mode": service.get("userns_mode"),
        "network_mode": service.get("network_mode"),
        "pid": service.get("pid"),
        "ipc": service.get("ipc"),
        "privileged": bool(service.get("privileged")),
        "read_only": bool(service.get("read_only")),
        "group_add": [str(g) for g in service.get("group_add") or []],
        "cap_add": service.get("cap_add") or [],
        "cap_drop": service.get("cap_drop") or [],
        "security_opt": service.get("security_opt") or [],
        "build": build
        and {
            "context": build.get("context"),
            "dockerfile": build.get("dockerfile"),
            "dockerfile_inline": build.get("dockerfile_inline"),
            "target": build.get("target"),
            "args": build.get("args") or {},
        },
        "mounts": [m for m in (compose_mount(project, v) for v in service.get("volumes") or []) if m]
        + list(compose_files(project, service, "secrets"))
        + list(compose_files(project, service, "configs")),
    }


def add_volumes_from(project, services):
    """`config` leaves volumes_from to the engine; a target that the service mounts itself stays its own."""
    done = set()

    def visit(name):
        if name in done or name not in services:
            return
        done.add(name)
        own = services[name]["mounts"]
        # Of several that bring one target the last counts.
        got = {}
        for word in project["services"][name].get("volumes_from") or []:
            parts = word.split(":")
            if parts[0] == "container" or parts[0] not in services:
                continue
            visit(parts[0])
            service = project["services"][name]
            tmpfs = service.get("tmpfs") or []
            targets = {m["target"] for m in own} | {v["target"] for v in service.get("volumes") or []}
            # The engine mounts a service's own tmpfs after what comes from others, and so over it.
            targets |= {t.split(":")[0] for t in ([tmpfs] if isinstance(tmpfs, str) else tmpfs)}
            for mount in services[parts[0]]["mounts"]:
                if mount["target"] not in targets:
                    got[mount["target"]] = dict(mount, read_only=mount["read_only"] or parts[1:] == ["ro"])
        own += got.values()

    for name in services:
        visit(name)


def compose(binary, request):
    """(services, None) or (None, error)."""
    environment = dict(request.environment)
    environment.update(o.split("=", 1) for o in request.overrides)
    argv = [binary] + request.options() + ["config", "--format", "json"] + request.services
    done = request.run(argv, environment)
    if done.returncode != 0:
        return None, done.stderr.decode("utf-8", "replace").strip()
    project = undouble(json.loads(done.stdout or b"{}"))
    services = {n: compose_service(project, s) for n, s in (project.get("services") or {}).items()}
    add_volumes_from(project, services)
    return services, None


# ---- bindright ----


def our_service(container):
    keep = compose_service({}, {}).keys()
    service = {k: container[k] for k in keep}
    for word in EMPTY_IS_ABSENT:
        service[word] = service[word] or None
    service["mounts"] = [
        dict({k: m[k] for k in MOUNT}, create_host_path=m["create_host_path"] or None) for m in container["mounts"]
    ]
    return service


def bindright(binary, request, version):
    """(services, None) or (None, error)."""
    argv = [binary, "inspect", "--format", "json", "--compose-version", version] + request.options()
    for override in request.overrides:
        argv += ["--env", override]
    done = request.run(argv + request.services, request.environment)
    error = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode not in (0, 2):
        return None, "exit %d: %s" % (done.returncode, error)
    if done.returncode == 2 or not done.stdout:
        return None, error
    report = json.loads(done.stdout)
    return {c["name"]: our_service(c) for c in report["containers"]}, None


# ---- both ----


def differences(ours, theirs):
    """Lines that say where two dicts of services differ; mounts are compared by target, since the engine sorts them anyway."""
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield "service %s: only %s has it" % (name, "compose" if name in theirs else "bindright")
            continue
        for field in theirs[name]:
            a, b = ours[name][field], theirs[name][field]
            if field == "mounts":
                a, b = ([m for m in x if m not in y] for x, y in ((a, b), (b, a)))
            if a != b:
                yield "service %s: %s: bindright %s, compose %s" % (name, field, json.dumps(a), json.dumps(b))
