#!/usr/bin/env bash
# What a line behind `docker create` means: the engine that made the container and bindright agree, word by word.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"

# Some lines have no command.
tar -C "$engine/rootfs" -c . | "$docker" import -c 'CMD ["true"]' - busybox:latest >/dev/null
client=docker
create=("${BR_DOCKER:-$docker}" create)
lines=$BR_TOP/tests/e2e/lib/run_lines_docker.txt
# shellcheck source=tests/e2e/lib/run_lines.sh
. "$BR_TOP/tests/e2e/lib/run_lines.sh"

"$docker" ps -aq | xargs "$docker" inspect >made
python3 "$BR_TOP/tests/e2e/lib/run_lines.py" docker made understood || die "docker and bindright disagree"

# All of them in one script: our words are those of the shell that ran them.
"$BINDRIGHT" inspect --format json -f script.sh >ours.out 2>ours.err || die "the script: $(cat ours.err)"
python3 "$BR_TOP/tests/e2e/lib/run_lines.py" docker made ours.out || die "docker and bindright disagree about the script"
echo "$refused lines that both refuse"
