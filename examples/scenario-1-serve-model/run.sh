#!/usr/bin/env bash
# A model server that reads from the host: what it cannot read, why its mount is better read-only, and a fix that gives reading only.
set -euo pipefail
# shellcheck source=examples/scenario.sh
. "$(dirname "$0")/../scenario.sh"

# The tree: models of the person who makes them, one of them not for everybody.
mkdir -p models/public models/private
echo "weights for all" >models/public/model.bin
echo "weights for some" >models/private/model.bin
chmod 755 models models/public
chmod 750 models/private
chmod 644 models/public/model.bin
chmod 640 models/private/model.bin
belongs_to_alice . models
build bindright-demo-server

title "The server runs as 1001, the models are somebody else's"
run ls -lnR models
container_fails --user 1001:1001 -v ./models:/models bindright-demo-server

title "It need not write them, so that is not what is missing"
run "$bindright" check --need /models=r || [ $? = 1 ]

title "So the mount becomes read-only, as BR403 advises, and what is missing for reading is given"
sed -i 's|- ./models:/models$|- ./models:/models:ro|' compose.yaml
run tail -n 1 compose.yaml
run "$bindright" fix --yes

title "The same server again"
container --user 1001:1001 -v ./models:/models:ro bindright-demo-server
if command -v getfacl >/dev/null; then
	run getfacl -n models/private/model.bin
fi
# It can read, and that is all: also where the mount would let it write.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	for write in 'echo x >models/private/new' 'echo x >>models/private/model.bin' 'rm models/private/model.bin'; do
		if setpriv --reuid 1001 --regid 1001 --clear-groups sh -c "$write" 2>/dev/null; then
			fail "uid 1001 can write: $write"
		fi
	done
	echo "uid 1001 can read the models and write none of them"
fi

title "And back"
run "$bindright" undo --yes
run ls -lnR models
