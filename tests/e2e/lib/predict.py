"""What `bindright explain` says each container of a file of run lines can do: predict.py LINES DIRECTORY PREFIX OPTION...

Prints, for each `--name cN` of the lines and each DIRECTORY/aXX, "N aXX lecdrw" (list, enter, create, delete; read, write
of the file in it; '-' for what it cannot), or "N refused" where the engine is said not to start it.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

lines, directory, target, *options = sys.argv[1:]


def explain(number, path, *more):
    """The answer about a container's path, or "refused …" where the engine is said not to start it; "unknown …" agrees with nothing."""
    run = subprocess.run(
        [os.environ["BINDRIGHT"], "explain", "--format", "json", "-f", lines, *options,
         f"c{number}:{path}", *more], capture_output=True, text=True, check=False)
    words = " ".join(run.stderr.split())[:300]
    if run.returncode > 1:
        return ("refused " if "will refuse" in words or "has no mapping" in words else "unknown ") + words
    answer = json.loads(run.stdout)
    return answer if answer["starts"] else "refused " + " ".join(answer["refusals"])


def judge(query):
    """One directory and the file in it: each has a step on the way, but where something else is mounted there."""
    number, name = query
    answer = explain(number, f"{target}/{name}/file")
    if isinstance(answer, str):
        return f"{number} {answer}"
    of_dir = next((s["have"] for s in answer["steps"] if s["path"].endswith("/" + name)), None)
    if of_dir is None:
        of_dir = explain(number, f"{target}/{name}")["have"]
    of_file = answer["have"]
    # Both may be had one by one and not together, as a capability gives one of them.
    makes = "w" in of_dir and "x" in of_dir and explain(number, f"{target}/{name}", "--need", "wx")["granted"]
    can = ("r" in of_dir, "x" in of_dir, makes, makes, "r" in of_file, "w" in of_file)
    return f"{number} {name} " + "".join(c if yes else "-" for c, yes in zip("lecdrw", can))


with open(lines, encoding="utf-8") as text:
    numbers = re.findall(r"--name c(\d+) ", text.read())
names = sorted(os.listdir(directory))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    seen = set()
    for answer in pool.map(judge, [(n, name) for n in numbers for name in names]):
        number, _, rest = answer.partition(" ")
        if rest.startswith("refused"):
            if number in seen:
                continue
            seen.add(number)
        print(answer)
