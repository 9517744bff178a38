"""Compose projects by chance: the features that bear on identity and mounts, mixed. The same generator state gives the same project."""

import os

import compare

SERVICES = ["web", "db", "a", "train-er", "w_1"]
VARIABLES = ["A", "B", "EMPTY", "UNSET", "PATHY", "UID_"]
PROFILES = ["dev", "gpu"]
CAPS = ["CHOWN", "CAP_FOWNER", "NET_ADMIN", "ALL", "SYS_PTRACE"]


class Writer:
    """Text of one project. Values are dicts, lists and strings; `raw` strings are written without quotes."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, part):
        return self.rng.random() < part

    def any(self, items):
        return self.rng.choice(items)

    # ---- words ----

    def variable(self):
        name = self.any(VARIABLES)
        form = self.any(["${%s}", "${%s}", "$%s", "${%s:-%s}", "${%s-%s}", "${%s:+%s}", "${%s+%s}"])
        return form % ((name, self.default()) if form.count("%s") == 2 else (name,))

    def default(self):
        return self.any(["d", "x/y", "./dflt", "", "1000", "${B:-in}", "$$5"])

    def word(self, plain):
        """Sometimes with a variable in it."""
        if self.maybe(0.15):
            return plain + self.variable()
        return self.variable() if self.maybe(0.05) else plain

    def source(self):
        return self.word(
            self.any(
                ["./data", "./data/", "../up", "/srv/x", "/srv//x/../y", "~/models", "~", ".", "..", "./a b", "./a/./b", "/", "./.hid", "./ü"]
            )
        )

    def target(self):
        return self.any(["/data", "/data/", "/d/../e", "/models", "/a b", "/v", "/data/sub", "//x", "/"]) if self.maybe(0.95) else "rel"

    def options(self):
        words = ["ro", "rw", "z", "Z", "nocopy", "rslave", "rshared", "cached", "delegated", "bogus", "U", "consistent", "private"]
        return ",".join(self.rng.sample(words, self.any([1, 1, 1, 2, 3])))

    def user(self):
        return self.word(self.any(["1000", "1000:1000", "app", "app:", ":", ":5", "0", "root", "", "01", "a:b:c", "nobody:nogroup"]))

    # ---- mounts ----

    def short_volume(self):
        roll = self.rng.random()
        if roll < 0.08:
            return self.target()
        name = self.any(["named", "pinned", "pinned2", "lonely"]) if roll < 0.3 else self.source()
        text = "%s:%s" % (name, self.target())
        return text + ":" + self.options() if self.maybe(0.4) else text

    def long_volume(self):
        kind = self.any(["bind", "bind", "bind", "volume", "volume", "tmpfs"])
        volume = {"type": kind, "target": self.target()}
        if kind == "bind":
            volume["source"] = self.word(self.any(["./long", "plain", "/abs/", "~/h", "./x:y", ".."]))
            if self.maybe(0.5):
                volume["bind"] = self.bind()
        if kind == "volume" and self.maybe(0.8):
            volume["source"] = self.any(["named", "pinned", "pinned2"])
            if self.maybe(0.3):
                volume["volume"] = {"nocopy": self.boolean()}
        if self.maybe(0.4):
            volume["read_only"] = self.boolean()
        return volume

    def bind(self):
        bind = {}
        if self.maybe(0.5):
            bind["create_host_path"] = self.boolean()
        if self.maybe(0.3):
            bind["propagation"] = self.any(["rprivate", "rshared", "slave"])
        if self.maybe(0.3):
            bind["selinux"] = self.any(["z", "Z"])
        return bind

    def boolean(self):
        return self.any(["true", "false", "true", "false", "yes", "off", '"true"', '"False"'])

    def volumes(self):
        return [self.short_volume() if self.maybe(0.6) else self.long_volume() for _ in range(self.rng.randrange(0, 5))]

    def grants(self, names):
        out = []
        for _ in range(self.rng.randrange(1, 4)):
            name = self.any(names)
            out.append(name if self.maybe(0.5) else {"source": name, "target": self.any(["t", "/abs/t", name])})
        return out

    # ---- services ----

    def service(self, name, has_base, others):
        service = {}
        if has_base or self.maybe(0.8):
            service["image"] = self.word(self.any(["nginx", "a/b:1", "x@sha256:" + "0" * 64]))
        if self.maybe(0.3) or not service:
            service["build"] = self.build()
        for key, part, make in (
            ("user", 0.5, self.user),
            ("volumes", 0.8, self.volumes),
            ("userns_mode", 0.1, lambda: self.any(["host", "keep-id", ""])),
            ("network_mode", 0.1, lambda: self.any(["host", "none", "bridge"])),
            ("pid", 0.1, lambda: self.any(["host"])),
            ("ipc", 0.1, lambda: self.any(["host", "private", "shareable"])),
            ("privileged", 0.15, self.boolean),
            ("read_only", 0.15, self.boolean),
            ("group_add", 0.25, lambda: self.rng.sample(["'0'", "5", "audio", "020", "0x10", "'77'"], self.rng.randrange(0, 4))),
            ("cap_add", 0.2, lambda: self.rng.choices(CAPS, k=self.rng.randrange(0, 4))),
            ("cap_drop", 0.2, lambda: self.rng.choices(CAPS, k=self.rng.randrange(0, 4))),
            ("security_opt", 0.15, lambda: self.rng.sample(["no-new-privileges:true", "label=disable", "apparmor=x"], 2)),
            ("tmpfs", 0.15, lambda: self.any(["/tmp", ["/run:size=1m", "/t"], ["/t"]])),
            ("secrets", 0.2, lambda: self.grants(["key", "cert"])),
            ("configs", 0.2, lambda: self.grants(["conf", "other"])),
            ("profiles", 0.15, lambda: [self.any(PROFILES)]),
            ("environment", 0.2, lambda: self.any([{"K": "v"}, ["K=v", "L"]])),
            ("restart", 0.2, lambda: "always"),
            ("command", 0.1, lambda: self.any(["sleep 1", ["a", "b"]])),
            ("x-note", 0.05, lambda: {"any": "thing"}),
        ):
            if self.maybe(part):
                service[key] = make()
        earlier = [o for o in others if o != name]
        if earlier and self.maybe(0.12):
            service["volumes_from"] = [self.any(earlier) + self.any(["", ":ro", ":rw"])]
        if earlier and self.maybe(0.15):
            service["extends"] = self.any([{"service": self.any(earlier)}, self.any(earlier)])
        elif self.maybe(0.08):
            service["extends"] = {"file": "base/common.yaml", "service": "base"}
        return service

    def build(self):
        if self.maybe(0.4):
            return self.any([".", "./ctx", "../ctx", "~/ctx"])
        build = {"context": self.any([".", "./ctx"])}
        if self.maybe(0.4):
            build["dockerfile"] = self.any(["Dockerfile.dev", "docker/Dockerfile"])
        if self.maybe(0.3):
            build["target"] = "prod"
        if self.maybe(0.5):
            build["args"] = self.any([{"A": "1", "N": "2"}, ["A=1", "FROM_ENV", "B"], {"F": "1.50"}])
        return build

    def override(self, service, name):
        """What a later file says of a service: some keys anew, some emptied, some reset or overridden."""
        over = self.service(name, True, [])
        for key in list(over):
            if self.maybe(0.55):
                del over[key]
        for key in ("user", "volumes", "cap_add"):
            if self.maybe(0.06):
                over[key] = Tagged("!reset", [] if key != "user" else "x")
            elif key in over and self.maybe(0.1):
                over[key] = Tagged("!override", over[key])
            elif self.maybe(0.05):
                over[key] = None
        return over

    def top(self):
        return {
            "volumes": {
                "named": None,
                "lonely": None,
                "pinned": {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": self.any(["./dev", "/abs/dev", "~/dev"])}},
                "pinned2": {"driver_opts": {"type": "none", "o": self.any(["bind", "rbind", "bind,ro"]), "device": "/abs/two"}},
            },
            "secrets": {"key": {"file": "./key.pem"}, "cert": {"file": self.any(["/abs/cert", "~/cert", "cert"])}},
            "configs": {"conf": {"file": "./conf"}, "other": {"content": "x"}},
        }


class Tagged:
    def __init__(self, tag, value):
        self.tag, self.value = tag, value


def quote(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def scalar(text):
    plain = text in ("true", "false", "yes", "off", "5", "020", "0x10") or text[:1] in "'\""
    return text if plain and text else quote(text)


def dump(value, indent=0):
    """YAML lines of a value that stands below a key."""
    pad = " " * indent
    if isinstance(value, Tagged):
        inner = dump(value.value, indent)
        return " %s%s" % (value.tag, inner)
    if value is None:
        return "\n"
    if isinstance(value, str):
        return " %s\n" % scalar(value)
    if isinstance(value, list):
        if not value:
            return " []\n"
        return "\n" + "".join("%s-%s" % (pad, item(v, indent)) for v in value)
    if not value:
        return " {}\n"
    return "\n" + "".join("%s%s:%s" % (pad, k, dump(v, indent + 2)) for k, v in value.items())


def item(value, indent):
    if isinstance(value, dict):
        lines = "".join("%s%s:%s" % (" " * (indent + 2), k, dump(v, indent + 4)) for k, v in value.items())
        return " " + lines.lstrip(" ")
    return dump(value, indent + 2)


def write(folder, name, value):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(dump(value, 0).lstrip("\n"))


def project(rng, folder):
    """Write a project into the folder and say how it is asked for."""
    w = Writer(rng)
    request = compare.Request(folder)
    request.environment.update(A="alpha", EMPTY="", PATHY="./from env", UID_="1234")
    with open(os.path.join(folder, ".env"), "w", encoding="utf-8") as f:
        f.write("B=beta\nA=not this\n")
    names = rng.sample(SERVICES, rng.randrange(1, 4))
    model = w.top()
    services = {}
    for name in names:
        services[name] = w.service(name, False, list(services))
    model["services"] = services
    write(folder, "compose.yaml", model)
    write(folder, "base/common.yaml", {"services": {"base": w.service("base", True, [])}, **w.top()})
    os.makedirs(os.path.join(folder, "sub"), exist_ok=True)
    if w.maybe(0.4):
        over = {name: w.override(services[name], name) for name in names if w.maybe(0.8)}
        if over:
            write(folder, w.any(["compose.override.yaml", "second.yaml", "sub/third.yaml"]), {"services": over})
    extra = [n for n in ("second.yaml", "sub/third.yaml") if os.path.exists(os.path.join(folder, n))]
    if extra:
        request.files = ["compose.yaml"] + extra
    if w.maybe(0.1):
        write(folder, "inc/compose.yaml", {"services": {"included": w.service("included", True, [])}, **{"volumes": {"named": None}}})
        with open(os.path.join(folder, "compose.yaml"), "a", encoding="utf-8") as f:
            f.write(w.any(["include: [inc/compose.yaml]\n", "include:\n  - path: inc/compose.yaml\n    project_directory: sub\n"]))
    if w.maybe(0.2):
        request.profiles = [w.any(PROFILES + ["*"])]
    if w.maybe(0.1):
        request.directory = "sub"
    return request
