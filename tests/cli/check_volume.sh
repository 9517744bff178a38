#!/usr/bin/env bash
# A bind-backed volume that is empty is not what it will be; nocopy leaves it alone, and so does anything in it.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

volume() {
	compose "volumes: [{type: volume, source: kept, target: /data, $1}]"
	printf 'volumes:\n  kept:\n    driver_opts: {type: none, o: bind, device: %s/data}\n' "$PWD" >>compose.yaml
}
mkdir data && chown 1001:1001 data
volume 'read_only: false'
golden 0 bindright check --sysroot "$T"
volume 'read_only: true'
golden 0 bindright check -q --sysroot "$T"
volume 'volume: {nocopy: true}'
golden 0 bindright check -q --sysroot "$T"
volume 'read_only: false'
touch data/.hidden && chown 1001:1001 data/.hidden
golden 0 bindright check -q --sysroot "$T"
rm data/.hidden
compose 'volumes: ["./data:/data"]'
golden 0 bindright check -q --sysroot "$T"

# Podman gives it away in spite of nocopy, and Podman 4 what is not empty, too.
volume 'volume: {nocopy: true}'
said() { bindright check -q --sysroot "$T" "$@" | grep BR211 || echo silent; }
golden 0 said --engine podman --engine-version 5.4
touch data/f
golden 0 said --engine podman --engine-version 5.4
golden 0 said --engine podman --engine-version 4.3
golden 0 said --engine docker
rm data/f

# What the Dockerfile says of the directory; silent where it becomes the container's own.
volume 'read_only: false'
sed -i 's|image: example|build: {context: ., dockerfile_inline: "FROM debian:12\\nRUN mkdir /data \&\& chown 1002:1001 /data"}|' compose.yaml
golden 0 bindright check --sysroot "$T"
sed -i 's/chown 1002/chown 1001/' compose.yaml
golden 0 said
done_golden
