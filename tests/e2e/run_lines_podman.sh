#!/usr/bin/env bash
# What a line behind `podman create` means: Podman and bindright agree, word by word.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"

tar -C "$engine/rootfs" -c . | pm import -c CMD=true - busybox >/dev/null 2>&1
client=podman
create=(podman create)
lines=$BR_TOP/tests/e2e/lib/run_lines_podman.txt
# shellcheck source=tests/e2e/lib/run_lines.sh
. "$BR_TOP/tests/e2e/lib/run_lines.sh"

pm ps -aq | xargs podman inspect >made
python3 "$BR_TOP/tests/e2e/lib/run_lines.py" podman made understood || die "podman and bindright disagree"
"$BINDRIGHT" inspect --format json -f script.sh >ours.out 2>ours.err || die "the script: $(cat ours.err)"
python3 "$BR_TOP/tests/e2e/lib/run_lines.py" podman made ours.out || die "podman and bindright disagree about the script"
echo "$refused lines that both refuse"
