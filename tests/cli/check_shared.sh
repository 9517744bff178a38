#!/usr/bin/env bash
# Who shares a path with whom (BR401): mounts that overlap, of which one does not fit; said where it does not. Two that only lie in a third one's source share nothing.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data/a data/b data/bc && chown 1001:1001 data data/a && chown 1002:1002 data/b && chown 7001:7001 data/bc
services() {
	printf 'services:\n'
	while [ $# -gt 0 ]; do
		printf '  %s:\n    image: x\n    user: "%s:%s"\n    volumes: ["%s:/m"]\n' "$1" "$2" "$2" "$3"
		shift 3
	done
}
shared() { bindright check --sysroot "$T" -q 2>&1 | grep -F BR401 || echo "nobody shares"; }

services one 1001 ./data/a two 1002 ./data/b three 1003 ./data/bc >compose.yaml
golden 0 shared
services one 1001 ./data/a two 1002 ./data/b all 0 ./data three 1003 ./data/bc >compose.yaml
golden 0 shared
# The one that fits is not blamed.
services two 1003 ./data/b all 1002 ./data/b >compose.yaml
golden 0 shared
services all 1001 ./data three 1003 ./data/bc >compose.yaml
golden 0 shared
done_golden
