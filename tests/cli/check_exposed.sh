#!/usr/bin/env bash
# An engine's socket, a file system without owners, two users of one path, a key that nobody knows.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("docker.sock")' || skip "needs python3"
mkdir shared queue && chown 1001:1001 shared && chmod 666 docker.sock
mount -t mqueue none queue || skip "needs a file system of messages"
cat >compose.yaml <<'YAML'
services:
  app:
    image: example
    user: "1001:1001"
    volums: ["./x:/x"]
    volumes: ["./shared:/shared", "./docker.sock:/var/run/docker.sock", "./queue:/queue"]
  web:
    image: example
    user: "1002:1001"
    volumes: ["./shared:/shared"]
YAML
golden 1 bindright check --sysroot "$T"
golden 1 bindright check --sysroot "$T" -q --fail-on info
done_golden
