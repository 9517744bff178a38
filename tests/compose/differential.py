"""Compare every case of tests/spec, every compose file of the repository and generated projects with the real docker compose.

differential.py BINDRIGHT COMPOSE VERSION [--generate N] [--seed S] [FOLDER...]
"""

import argparse
import os
import random
import sys
import tempfile

import compare
import generate


# Cases of tests/spec that disagree on purpose, and why.
MEANT = {
    "A4-empty-variable": "compose stumbles over an empty COMPOSE_FILE; it is taken as not set",
    "A15-named-brings-its-profile": "only the named services are judged, not what they depend on",
    "B11-env-file-missing": "an env_file is no business of mounts: a warning",
    "B17-env-files": "the same",
    "E1-all-keys": "keys that an older compose does not know are read all the same",
    "F7-api-socket": "the mount that use_api_socket stands for is shown",
    "G10-provider": "as E1",
    "H2-err-clash": "2.26 does not look into x- keys",
    "K1-quoted-merge-key": "an unknown key is BR001, a warning",
    "K6-unknown-keys": "the same",
    "L-newer-keys": "a label_file is no business of mounts",
}

# Words of compose's own mistakes, which are not copied.
MISTAKES = (
    # 2.26: a later file with an empty list.
    "group_add must be a list",
)


def judge(name, request, options):
    """How the two disagree: a list of lines."""
    theirs, refused = compare.compose(options.compose, request)
    # Our own extension, which compose takes as it comes.
    own = name.startswith("X-") and "-err" in name
    if own or name in MEANT or any(m in (refused or "") for m in MISTAKES):
        return []
    ours, error = compare.bindright(options.bindright, request, options.version)
    if (theirs is None) != (ours is None):
        return ["%s: bindright: %s; compose: %s" % (name, error or "takes it", refused or "takes it")]
    return [] if theirs is None else ["%s: %s" % (name, d) for d in compare.differences(ours, theirs)]


def spec_cases(top):
    folder = os.path.join(top, "tests/spec")
    for name in sorted(os.listdir(folder)):
        if os.path.isdir(os.path.join(folder, name)):
            yield name, compare.read_request(os.path.join(folder, name))


def compose_files(top):
    """Every compose file that lies elsewhere in the repository."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "spec")
        for file in sorted(files):
            if "compose" in file and file.endswith((".yaml", ".yml")):
                request = compare.Request(folder)
                request.files = [file]
                yield os.path.relpath(os.path.join(folder, file), top), request


REST = """
secrets: {s0: {file: ./s}}
configs: {c0: {file: ./c}}
"""


def values(top, work):
    """Each line of values.txt as a project of its own."""
    for number, line in enumerate(open(os.path.join(top, "tests/compose/values.txt"), encoding="utf-8"), 1):
        kind, _, text = line.rstrip("\n").partition(" ")
        if kind == "#":
            continue
        folder = os.path.join(work, "value-%d" % number)
        os.mkdir(folder)
        services = "services:\n  b: {image: y}\n  a:\n    image: x\n" + ("    %s\n" % text if kind == "S" else "")
        with open(os.path.join(folder, "compose.yaml"), "w", encoding="utf-8") as file:
            file.write(services + REST)
            file.write("networks: {n: null}\n" if kind == "S" else text + "\n")
        request = compare.Request(folder)
        request.files = ["compose.yaml"]
        yield "values.txt:%d: %s" % (number, text), request


def generated(count, seed, work):
    for i in range(count):
        folder = os.path.join(work, str(i))
        os.mkdir(folder)
        yield "generated %d of seed %d" % (i, seed), generate.project(random.Random(seed * 1000003 + i), folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bindright")
    parser.add_argument("compose")
    parser.add_argument("version")
    parser.add_argument("--top", default=os.environ.get("BR_TOP", "."))
    parser.add_argument("--generate", type=int, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", help="write the generated projects here")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    number = int(options.version.split(".")[0]) * 100 + int(options.version.split(".")[1])
    judged, bad, refused = 0, [], 0
    with tempfile.TemporaryDirectory() as work:
        cases = list(spec_cases(options.top)) + list(compose_files(options.top)) + list(values(options.top, work))
        cases += generated(options.generate, seed, options.keep or work)
        for name, request in cases:
            if options.only not in name or (request.version and request.version != number):
                continue
            judged += 1
            lines = judge(name, request, options)
            bad += lines[:1] if lines else []
            for line in lines:
                print(line)
    print("seed %d: %d projects compared with compose %s, %d disagree" % (seed, judged, options.version, len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
