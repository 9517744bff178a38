"""Sum up what llvm-cov exported (standard input): a line for each directory, and for each file that was not reached whole."""

import json
import os
import sys

KINDS = ("lines", "branches")


def share(covered, count):
    return f"{100 * covered / count if count else 100:6.2f} % of {count:6}"


def line(name, sums):
    print(f"{name:40}" + "".join(f"  {kind} {share(*sums[kind])}" for kind in KINDS))


def add(total, name, summary):
    sums = total.setdefault(name, {kind: [0, 0] for kind in KINDS})
    for kind in KINDS:
        sums[kind][0] += summary[kind]["covered"]
        sums[kind][1] += summary[kind]["count"]


def main():
    directories, files = {}, {}
    for entry in json.load(sys.stdin)["data"][0]["files"]:
        path = os.path.relpath(entry["filename"])
        add(files, path, entry["summary"])
        add(directories, os.path.dirname(path) + "/", entry["summary"])
        add(directories, "all", entry["summary"])
    for path in sorted(files):
        if any(covered != count for covered, count in files[path].values()):
            line(path, files[path])
    print()
    for path in sorted(directories):
        line(path, directories[path])


if __name__ == "__main__":
    main()
