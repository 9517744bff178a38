"""Kill the program that meddle runs (slay.py PID-OF-MEDDLE), and wait until it and whoever works for it have ended: what they were at is not gone on with."""
import os
import signal
import sys
import time


def fields(pid):
    """Behind its name, which may have blanks: state and parent come first."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
    return [name] + rest.split()


def children(parent):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if fields(pid)[2] == str(parent):
                found.append(int(pid))
        except OSError:  # it has ended
            pass
    return found


def has_ended(pid):
    try:
        return fields(pid)[1] in "ZX"
    except OSError:
        return True


first = [pid for pid in children(sys.argv[1]) if fields(pid)[0] == "bindright"][0]
both = [first] + children(first)
os.kill(first, signal.SIGKILL)
end = time.monotonic() + 60
while not all(map(has_ended, both)):
    if time.monotonic() > end:
        sys.exit("still there")
    time.sleep(0.01)
