#!/usr/bin/env bash
# What no image and no key of compose can say: without x-bindright all seems to fit, and the job fails; with it check says why, and fix makes it work.
set -euo pipefail
# shellcheck source=examples/scenario.sh
. "$(dirname "$0")/../scenario.sh"

# The tree: a directory of the job's with a log that root closed for writing, and a tool that came without its x bit, as from an archive.
mkdir data tools
echo "first run" >data/runs.log
printf '#!/bin/sh\necho "<p>fine</p>"\n' >tools/report
chmod 644 tools/report
chmod 444 data/runs.log
chmod 750 data
belongs_to_alice tools
[ "$(id -u)" != 0 ] || chown 1001:1001 data
build bindright-demo-reports
job() { container --user 1001:1001 -v ./data:/data -v ./tools:/tools:ro bindright-demo-reports; }
id -u www-data >/dev/null 2>&1 || sed -i 's/www-data/nobody/' compose.yaml

title "Without x-bindright: what the modes let anybody do, the container may do as well"
sed -e '/x-bindright:/d' -e '/^ *need:/d' -e '/^ *future_files:/d' -e '/^ *users:/d' compose.yaml >plain.yaml
run "$bindright" check -f plain.yaml || [ $? = 1 ]
if job && [ -n "$engine" ]; then
	fail "it works: this host has no such problem"
fi

title "With it"
run cat compose.yaml
run "$bindright" inspect
run "$bindright" check || [ $? = 1 ]

title "Make it fit"
run "$bindright" fix --yes
job
if [ "$(id -u)" = 0 ] && [ -n "$engine" ] && command -v setpriv >/dev/null; then
	server=$(sed -n 's/.*users: \[\(.*\)\].*/\1/p' compose.yaml)
	echo "\$ sudo -u $server cat data/report.html   # made after the fix"
	setpriv --reuid "$server" --regid "$(id -g "$server")" --clear-groups cat data/report.html
fi

title "And back"
run "$bindright" undo --yes
run ls -ln data tools
