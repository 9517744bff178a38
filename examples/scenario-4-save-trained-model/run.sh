#!/usr/bin/env bash
# The trained model that cannot be saved: the mismatch, what bindright says, the fix, the saved model, and back.
#
# Without a Docker engine a process takes on the container's identity (that needs root).
set -euo pipefail
# shellcheck source=examples/scenario.sh
. "$(dirname "$0")/../scenario.sh"

# The tree: a directory of the person who trains, and a model in it that an earlier container, running as root, left behind.
mkdir models
belongs_to_alice . models
echo "weights of last week" >models/last-week.pt
chmod 644 models/last-week.pt
build bindright-demo-trainer

train() {
	if [ -n "$engine" ]; then
		container --user 1001:1001 -v ./models:/app/models bindright-demo-trainer
	elif [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		echo '$ train.sh models   # by a process with uid 1001, gid 1001: no Docker engine runs here'
		setpriv --reuid 1001 --regid 1001 --clear-groups sh train.sh models
	else
		echo '(not run: there is no Docker engine here, and only root can take on uid 1001)'
		return 77
	fi
}

title "The container runs as 1001, the directory belongs to somebody else"
run ls -ln models
status=0
train || status=$?
[ $status != 0 ] || fail "it could write: this host has no such problem"

title "What is wrong, and who asked for it"
run "$bindright" check || [ $? = 1 ]

title "Make it fit"
run "$bindright" fix --yes

title "The same container again"
if [ $status = 77 ]; then
	train || true
else
	train
	[ "$(stat -c %u models/model.pt)" = 1001 ] || fail "the model belongs to $(stat -c %u models/model.pt)"
fi
run ls -ln models

title "And back"
run "$bindright" undo --yes
run ls -ln models
