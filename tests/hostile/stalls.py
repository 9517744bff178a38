"""A FUSE file system with an empty directory that answers until it is asked to list it: stalls.py MOUNT_POINT"""
import sys

from fuse import READDIR, READDIRPLUS, Server


class Stalls(Server):
    def take(self, request):
        if request.opcode not in (READDIR, READDIRPLUS):
            self.reply(request)


Stalls({1: {}}).mount("stalls", sys.argv[1])
