"""Compare every compose file below a folder (of other people's repositories, say) with the real docker compose.

corpus.py BINDRIGHT COMPOSE VERSION FOLDER [--mode MODE] [--jobs N]

Modes: plain   each file alone (-f)
       find    each directory that has a file of one of compose's names, as compose finds it, with all profiles
       example as plain, with all profiles and the directory's .env.example as .env file
       filled  as plain, with all profiles and a value for every variable that the file names

An env_file that does not exist is made, since it is no business of mounts. Differences that are meant are counted apart.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import sys

import compare

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
EXAMPLES = (".env.example", "env.example", ".env.sample", "example.env", ".env.template", ".env.dist")

# What compose refuses and bindright reads all the same, by its own words, and why.
MEANT = (
    (r"additional propert.* not allowed", "an unknown key is BR001, a warning"),
    (r"(env|label) file .* not found", "an env_file is no business of mounts"),
    (r"calling MarshalJSON|panic|runtime\.throw", "compose fails of itself"),
)


def value_of(name):
    """What a variable of this name would hold, always the same."""
    number = int(hashlib.sha1(name.encode()).hexdigest(), 16)
    for pattern, value in (
        ("PORT", str(1024 + number % 60000)),
        ("UID|GID", str(1000 + number % 9)),
        ("PATH|DIR|DATA|VOLUME|ROOT|CONFIG|FOLDER|MOUNT|STORAGE|HOME", ("/srv/", "./", "~/")[number % 3] + name.lower()),
        ("MEM|SIZE", "512m"),
        ("CPU|COUNT|NUM|REPLICAS|SCALE|RETRIES|LIMIT", "1"),
        ("TIMEOUT|INTERVAL|PERIOD", "30s"),
        ("IP$|ADDRESS|HOST", "10.0.0.%d" % (1 + number % 250)),
        ("ENABLE|IS_|READ_?ONLY|DEBUG", "true"),
    ):
        if re.search(pattern, name.upper()):
            return value
    return "v%d" % (number % 1000)


def compose_files(top):
    """Files that have services, each content once."""
    seen = set()
    for folder, folders, files in os.walk(top):
        folders.sort()
        for file in sorted(f for f in files if f.endswith((".yaml", ".yml"))):
            path = os.path.join(folder, file)
            content = open(path, "rb").read() if os.path.isfile(path) else b""
            digest = hashlib.sha1(content).digest()
            if re.search(rb'^"?services"?\s*:', content, re.M) and digest not in seen:
                seen.add(digest)
                yield path


def request_of(path, mode):
    folder, file = os.path.split(path)
    request = compare.Request(folder)
    request.files = [] if mode == "find" else [file]
    request.profiles = [] if mode == "plain" else ["*"]
    if mode == "example":
        request.env_files = [e for e in EXAMPLES if os.path.exists(os.path.join(folder, e))][:1]
    if mode == "filled":
        text = open(path, encoding="utf-8", errors="replace").read()
        names = set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", text)) - {"PATH", "HOME", "PWD"}
        # Those that Go's own runtime reads would stop compose.
        request.environment.update((n, value_of(n)) for n in names if not n.startswith(("COMPOSE_", "GO")))
    return request


def ask_compose(options, request):
    """As compare.compose, and what env_file names is made as long as it lies below the folder."""
    for _ in range(20):
        theirs, refused = compare.compose(options.compose, request)
        missing = re.search(r"env file (.+?) not found", refused or "")
        path = missing and os.path.normpath(missing.group(1))
        if not path or not path.startswith(options.folder + os.sep):
            break
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "a", encoding="utf-8").close()
    return theirs, refused


def judge(options, path):
    """("same" | "refused" | "meant" | "wrong", line)."""
    request = request_of(path, options.mode)
    theirs, refused = ask_compose(options, request)
    ours, error = compare.bindright(options.bindright, request, options.version)
    if theirs is None and ours is None:
        return "refused", ""
    if theirs is None:
        meant = any(re.search(pattern, refused) for pattern, _ in MEANT)
        return "meant" if meant else "wrong", "compose: " + refused
    if ours is None:
        return "wrong", "bindright: " + error
    lines = list(compare.differences(ours, theirs))
    return ("wrong", lines[0]) if lines else ("same", "")


def main():
    parser = argparse.ArgumentParser()
    for name in ("bindright", "compose", "version", "folder"):
        parser.add_argument(name)
    parser.add_argument("--mode", choices=("plain", "find", "example", "filled"), default="plain")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.bindright, options.compose, options.folder = map(os.path.abspath, (options.bindright, options.compose, options.folder))
    paths = list(compose_files(options.folder))
    if options.mode == "find":
        paths = sorted({os.path.dirname(p): p for p in paths if os.path.basename(p) in NAMES}.values())
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, (kind, line) in zip(paths, pool.map(lambda p: judge(options, p), paths)):
            counts[kind] += 1
            if kind == "wrong":
                print("%s: %s" % (os.path.relpath(path, options.folder), line))
    print("%d files with compose %s, %s: %s" % (len(paths), options.version, options.mode, dict(counts)))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
