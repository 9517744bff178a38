#!/usr/bin/env bash
# The host's accounts: missing, somebody else's, the caller's own, and IDs of a user namespace.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data etc
compose 'volumes: ["./data:/data"]'
chmod 777 data
golden 0 bindright check --sysroot "$T/work"
printf 'bob:x:1001:1001::/home/bob:/bin/sh\n' >etc/passwd
golden 0 bindright check --sysroot "$T/work"
golden 0 bindright check --sysroot "$T/work" --keep bob
printf 'bob:x:1001:\n' >etc/group
golden 0 bindright check --sysroot "$T/work" --keep bob
: >etc/passwd
golden 0 bindright check --sysroot "$T/work"
printf 'rl:1000:65536\n' >etc/subuid
golden 0 bindright check --sysroot "$T/work"
# What is only read leaves nothing behind that could belong to anybody: neither is said.
: >etc/subuid
chmod 755 data
compose 'volumes: ["./data:/data:ro"]'
golden 0 bindright check --sysroot "$T/work"
printf 'bob:x:1001:1001::/home/bob:/bin/sh\n' >etc/passwd
golden 0 bindright check --sysroot "$T/work"
# What is suggested is in the words of the input: an option for a run line.
golden 1 bindright check --sysroot "$T/work" -- docker run -u 1001 -v ./data:/data busybox
golden 0 bindright check --sysroot "$T/work" -- docker run -u 0:0 -v ./data:/data busybox
done_golden
