"""What was on the disk at a moment: replay.py LOG BASE OUT FLUSH SEED

All writes before the flush with this number (from 0; the one after the last stands for the end), and of those up to the next flush the
ones that the seed chooses, in any order; seed 0: none of them. Without FLUSH: how many flushes there are."""
import random
import struct
import subprocess
import sys

batches = [[]]
with open(sys.argv[1], "rb") as log:
    while head := log.read(16):
        offset, n = struct.unpack("<QQ", head)
        if n:
            batches[-1].append((offset, log.read(n)))
        else:
            batches.append([])
if len(sys.argv) < 4:
    print(len(batches) - 1)
    sys.exit()
base, out, flush, seed = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
subprocess.run(["cp", "--sparse=always", base, out], check=True)
torn = []
if seed and flush + 1 < len(batches):
    choice = random.Random(seed)
    torn = [write for write in batches[flush + 1] if choice.random() < 0.5]
    choice.shuffle(torn)
with open(out, "r+b") as disk:
    for offset, data in [write for batch in batches[:flush + 1] for write in batch] + torn:
        disk.seek(offset)
        disk.write(data)
