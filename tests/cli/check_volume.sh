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
done_golden
