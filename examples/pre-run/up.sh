#!/bin/sh
# Start the services, after making sure that their containers can use what is mounted into them.
#
#   ./up.sh [SERVICE...]
#
# BINDRIGHT and COMPOSE name the programs. Exit status: bindright's, where the mounts cannot be made to fit; else compose's.
set -eu
cd "$(dirname "$0")"
bindright=${BINDRIGHT:-bindright}
compose=${COMPOSE:-docker compose}

# Only root can give away what is somebody else's.
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

# 1: something does not fit. Anything above: it could not be found out, and nothing is started.
status=0
"$bindright" check --quiet "$@" || status=$?
if [ $status = 1 ]; then
	$as_root "$bindright" fix --yes "$@"
elif [ $status != 0 ]; then
	exit $status
fi

# shellcheck disable=SC2086 # two words
exec $compose up -d "$@"
