#!/usr/bin/env bash
# A container that cannot write into its own image: no mount is to blame, and no chmod on the host helps. The Dockerfile does.
set -euo pipefail
# shellcheck source=examples/scenario.sh
. "$(dirname "$0")/../scenario.sh"

build bindright-demo-job

title "The job runs as 1001, and the image's directories are root's"
run cat Dockerfile
container_fails bindright-demo-job

title "What is wrong, and which line made it so"
run "$bindright" check || [ $? = 1 ]

title "No permission of the host has a part in it: there is nothing to fix here"
run "$bindright" fix --yes || [ $? = 1 ]

title "The Dockerfile gives the directory to the user who writes there"
sed -i 's|^RUN mkdir /app/output$|RUN mkdir /app/output \&\& chown nonroot /app/output|' Dockerfile
run grep chown Dockerfile
build bindright-demo-job
run "$bindright" check
container bindright-demo-job
