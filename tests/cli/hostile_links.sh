#!/usr/bin/env bash
# Inputs that are somebody's links: followed as root only where he may read what they lead to, and the refusal has its place.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

echo 'nobody shall see this: [' >../secret
chmod 600 ../secret
mkdir more && ln -s ../../secret more/compose.yaml && chown -h 7001:7001 more/compose.yaml
printf 'include:\n  - more/compose.yaml\n' >compose.yaml
golden 2 bindright check --sysroot "$T"
printf 'services: {app: {build: more, volumes: ["./data:/data"]}}\n' >compose.yaml
ln -s ../../secret more/Dockerfile && chown -h 7001:7001 more/Dockerfile
golden 2 bindright check --sysroot "$T"
ln -s ../secret image.tar && chown -h 7001:7001 image.tar
golden 2 bindright check --sysroot "$T" --image-archive image.tar
golden 2 bindright check --sysroot "$T" --daemon-config image.tar
ln -s ../secret .env && chown -h 7001:7001 .env
golden 2 bindright check --sysroot "$T"
done_golden
