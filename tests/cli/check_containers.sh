#!/usr/bin/env bash
# What is known of a container itself: unknown users, root, privileges, host namespaces, exposed sources.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mount -t tmpfs none /boot
mkdir data open && chown 1001:1001 data && chmod 777 open
cat >compose.yaml <<'YAML'
services:
  nobody:
    image: example
    volumes: ["./data:/data"]
  named:
    image: example
    user: trainer
    volumes: ["./data:/data"]
  root:
    image: example
    user: "0:0"
    privileged: true
    network_mode: host
    pid: host
    volumes: ["./data:/data", "/boot:/host/boot:ro"]
  assumed:
    image: example
    user: "1001"
    volumes: ["./data:/data", "./open:/open"]
  without:
    image: example
YAML
golden 1 bindright check --sysroot "$T"
golden 0 bindright check --sysroot "$T" --user nobody=1001:1001 --user named=1001:1001 named nobody assumed
golden 2 bindright check --user nobdy=1001
golden 2 bindright check --user nobody=abc
golden 2 bindright check --user nobody
done_golden
