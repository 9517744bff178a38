"""The two sides of engines_random.sh: what bindright says of a container, and what became of it.

    engines_probe.py say NUMBER TREE OPTION...   runs bindright with the options and prints, for each directory of probes.NUMBER,
                                                 "PATH lecdrw" (list, enter, create, delete; read, write of the file in it; '-' for what it
                                                 cannot) and behind it what a file made there is: "UID:GID MODE [ACL]"; or "refused WHY"
    engines_probe.py see NUMBER TREE             the same from seen.NUMBER, which the container printed, and the files on the host
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path


def run(*words):
    """Status, what it printed as JSON (or None), and what it complained about."""
    done = subprocess.run([os.environ["BINDRIGHT"], *words], capture_output=True, text=True, check=False)
    complaint = " ".join(done.stderr.split())
    try:
        return done.returncode, json.loads(done.stdout), complaint
    except json.JSONDecodeError:
        return done.returncode, None, complaint


def directories(number, tree):
    """Container paths and host paths."""
    pairs = (line.split() for line in Path(f"probes.{number}").read_text(encoding="utf-8").splitlines())
    return [(path, host.replace("@T", tree)) for path, host in pairs]


def refusal(report, complaint):
    """Why the engine is said not to start it; None where it is."""
    for finding in (report or {}).get("findings", []):
        if finding.get("refused") or "will refuse" in finding["message"]:
            return f"{finding['code']} {finding['message']}"
    return complaint if report is None else None


def made_text(made):
    """A file by what bindright says of it."""
    return f" {made['uid']}:{made['gid']} {made['mode'].lstrip('0') or '0'}" + (f" {made['acl']}" if made["acl"] else "")


def made_of_missing(report, path):
    """The engine makes the source; nothing is in it."""
    have = next((mount["have"] for mount in report["containers"][0]["mounts"] if mount["target"] == path), None)
    if have is None:
        return f"{path} unknown"
    makes = "w" in have and "x" in have
    return f"{path} ?{'e' if 'x' in have else '-'}{'c' if makes else '-'}?-{'w' if makes else '-'}"


def said(name, path, host, options):
    """One directory and the file in it."""
    _, of_dir, why = run("explain", "--format", "json", *options, f"{name}:{path}")
    _, of_file, _ = run("explain", "--format", "json", *options, f"{name}:{path}/file")
    if "does not see what is mounted" in why:
        return f"{path} ??????"
    if not of_dir or not of_file or not of_dir["starts"]:
        return f"{path} not explained: {why}"
    if host == "-":
        status, _, _ = run("explain", *options, f"{name}:{path}", "--need", "wx")
        makes = status == 0
    else:
        makes = of_dir["makes"] is not None
    can = ("r" in of_dir["have"], "x" in of_dir["have"], makes, makes and of_dir["rule"] != "append-only",
           "r" in of_file["have"], "w" in of_file["have"])
    # A victim of its own kind; the directory says nothing of it.
    if f"/{path[-3:]}/victim" in Path("attributes.sh").read_text(encoding="utf-8"):
        _, of_victim, _ = run("explain", "--format", "json", *options, f"{name}:{path}/victim")
        can = can[:3] + (can[3] and of_victim["rule"] not in ("immutable", "append-only"),) + can[4:]
    letters = "".join(letter if yes else "-" for letter, yes in zip("lecdrw", can))
    # Who may delete in a sticky directory is the affair of BR105.
    if int(of_dir["steps"][-1]["mode"], 8) & 0o1000 and letters[3] == "d":
        letters = letters[:3] + "?" + letters[4:]
    return f"{path} {letters}" + (made_text(of_dir["makes"]["file"]) if makes and host != "-" else "")


def say(number, tree, options):
    """Everything that bindright says of the container."""
    status, report, complaint = run("check", "--format", "json", *options)
    why = refusal(report, complaint)
    if why is not None or status > 1:
        print(f"refused {why}")
        return
    name = report["containers"][0]["name"]
    for path, host in directories(number, tree):
        missing = host != "-" and not os.path.exists(host)
        print(made_of_missing(report, path) if missing else said(name, path, host, options))


def made_on_host(path):
    """A file as it is."""
    stat = os.lstat(path)
    text = f" {stat.st_uid}:{stat.st_gid} {stat.st_mode & 0o7777:o}"
    lines = subprocess.run(["getfacl", "-cpnE", path], capture_output=True, text=True, check=True).stdout.split()
    return text + (" " + ",".join(re.sub("^(.)[a-z]*", r"\1", line) for line in lines) if len(lines) > 3 else "")


def see(number, tree):
    """What the container could do."""
    lines = Path(f"seen.{number}").read_text(encoding="utf-8").splitlines()
    hosts = dict(directories(number, tree))
    for line in lines:
        path, _, can = line.partition(" ")
        made = Path(hosts.get(path, "-")) / "made"
        print(line + (made_on_host(made) if can[2:3] == "c" and hosts.get(path, "-") != "-" and made.exists() else ""))


if sys.argv[1] == "say":
    say(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    see(sys.argv[2], sys.argv[3])
