#!/usr/bin/env bash
# The trained model that cannot be saved: the mismatch, what bindright says, the fix, the saved model, and back.
#
# Works on a tree of its own that it removes at the end. With a Docker engine the container really runs; without one a
# process takes on the container's identity (that needs root). BINDRIGHT names the program; KEEP=1 keeps the tree.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bindright=${BINDRIGHT:-}
if [ -z "$bindright" ]; then
	bindright=$here/../../bindright
	[ -x "$bindright" ] || bindright=$(command -v bindright) || {
		echo "run.sh: no bindright: run make first, or set BINDRIGHT" >&2
		exit 1
	}
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/bindright-demo.XXXXXX")
trap '[ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$here/compose.yaml" "$here/Dockerfile" "$here/train.sh" "$work"
cd "$work"

title() { printf '\n== %s\n' "$*"; }
run() {
	printf '$ %s\n' "${*/#"$bindright"/bindright}"
	"$@"
}

# The tree: a directory of the person who trains, and a model in it that an earlier container, running as root, left behind.
mkdir models
echo "weights of last week" >models/last-week.pt
if [ "$(id -u)" = 0 ]; then
	chown 1000:1000 "$work" models
	chmod 644 models/last-week.pt
fi

# How the container runs: for real, by a process with its identity, or not at all.
how=nothing
if command -v docker >/dev/null && docker info >/dev/null 2>&1 &&
	docker build -q -t bindright-demo-trainer . >/dev/null 2>&1; then
	how=engine
elif [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	how=process
fi

train() {
	case $how in
	engine)
		echo '$ docker run --user 1001:1001 -v ./models:/app/models bindright-demo-trainer'
		docker run --rm --network none --user 1001:1001 -v "$work/models:/app/models" bindright-demo-trainer
		;;
	process)
		echo '$ train.sh models   # by a process with uid 1001, gid 1001: no Docker engine runs here'
		setpriv --reuid 1001 --regid 1001 --clear-groups sh train.sh models
		;;
	nothing)
		echo '(not run: there is no Docker engine here, and only root can take on uid 1001)'
		;;
	esac
}

title "The container runs as 1001, the directory belongs to somebody else"
run ls -ln models
if train; then
	[ $how = nothing ] || {
		echo "run.sh: it could write: this host has no such problem" >&2
		exit 1
	}
fi

title "What is wrong, and who asked for it"
run "$bindright" check || [ $? = 1 ]

title "Make it fit"
run "$bindright" fix --yes

title "The same container again"
train
run ls -ln models

if [ $how != nothing ]; then
	owner=$(stat -c %u models/model.pt)
	[ "$owner" = 1001 ] || {
		echo "run.sh: the model belongs to $owner" >&2
		exit 1
	}
fi

title "And back"
run "$bindright" undo --yes
run ls -ln models
