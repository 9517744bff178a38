"""An automounter that never mounts anything: automounts.py MOUNT_POINT direct|indirect LOG [FILE_SYSTEM_OWNER]

Prints its process. LOG is made empty at once, and every request that would make a real one mount something is a line in it; it is not
answered. With an owner, a tmpfs of his lies already where it would be mounted, as after somebody's first request.
"""
import os
import subprocess
import sys

place, kind, log = sys.argv[1:4]
owner = sys.argv[4] if len(sys.argv) > 4 else None
open(log, "w").close()
asked, asks = os.pipe()
told, tells = os.pipe()
os.set_inheritable(asks, True)
pid = os.fork()
if pid == 0:
    os.close(told)
    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
    # Whoever is in this group walks through, which is how an automounter mounts.
    os.setpgrp()
    options = f"fd={asks},pgrp={os.getpgrp()},minproto=5,maxproto=5,{kind}"
    subprocess.run(["mount", "-i", "-t", "autofs", "-o", options, "automounts", place], pass_fds=[asks], check=True)
    os.close(asks)
    if owner:
        inside = place
        if kind == "indirect":
            inside = os.path.join(place, "there")
            os.mkdir(inside)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=755,uid={owner},gid={owner}", "tmpfs", inside], check=True)
        with open(os.path.join(inside, "f"), "w") as f:
            os.fchown(f.fileno(), int(owner), int(owner))
    os.write(tells, b".")
    os.close(tells)
    while os.read(asked, 4096):
        with open(log, "a") as f:
            f.write("asked\n")
    os._exit(0)
os.close(tells)
if not os.read(told, 1):
    sys.exit("it could not be mounted")
print(pid)
