"""rename_run.py RUNS OLD NEW: a run of another day. Its journal says so too, as if the clock had been another one when it was written."""
import os
import struct
import sys


def crc32c(crc, data):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


runs, old, new = sys.argv[1:]
path = os.path.join(runs, old, "journal")
with open(path, "rb") as journal:
    data = bytearray(journal.read())
data = data.replace(old.encode(), new.encode(), 1)
# src/apply/journal.h: each record's sum goes on from the one before it.
at, seed = 12, struct.unpack_from("<I", data, 8)[0]
while at + 4 <= len(data) and (length := struct.unpack_from("<I", data, at)[0]):
    seed = crc32c(seed, data[at : at + length - 4])
    struct.pack_into("<I", data, at + length - 4, seed)
    at += length
with open(path, "wb") as journal:
    journal.write(data)
os.rename(os.path.join(runs, old), os.path.join(runs, new))
