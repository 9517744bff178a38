#!/usr/bin/env bash
# Libraries that write by themselves: a process manager's log and PID file, a cache below HOME=/, a mount below /root.
set -euo pipefail
# shellcheck source=examples/scenario.sh
. "$(dirname "$0")/../scenario.sh"

mkdir cache
[ "$(id -u)" != 0 ] || chown 1001:1001 cache
build bindright-demo-supervised supervised
build bindright-demo-hub hub

title "A process manager as 1001: its log and its PID file go to directories of root's"
container_fails bindright-demo-supervised

title "A library as 4242, whom the image does not know: HOME is /, and the cache would be /.cache"
container_fails --user 4242:4242 bindright-demo-hub

title "A cache that 1001 may write, mounted below /root, which only root can enter"
run ls -lnd cache
container_fails --user 1001:1001 -e HF_HOME=/root/.cache/huggingface -v ./cache:/root/.cache/huggingface bindright-demo-hub

title "What is wrong, before anything runs"
run "$bindright" check || [ $? = 1 ]

title "What helps: compose.mended.yaml, and directories for what it mounts"
run diff compose.yaml compose.mended.yaml || [ $? = 1 ]
echo "(--future-files: two users share the cache, and each is to write what the other has made there)"
run "$bindright" fix -f compose.mended.yaml --future-files --yes

title "The same containers again"
container -v ./log:/var/log/supervisor -v ./run:/run/supervisor bindright-demo-supervised supervisord -n -c /etc/supervisor/mended.conf
container --user 4242:4242 -e HOME=/tmp -e HF_HOME=/cache -v ./cache:/cache bindright-demo-hub
container --user 1001:1001 -e HF_HOME=/cache -v ./cache:/cache bindright-demo-hub

title "And back (what the containers have written meanwhile stays)"
run "$bindright" undo --yes || [ $? = 1 ]
run ls -ln
