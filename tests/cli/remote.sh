#!/usr/bin/env bash
# Containers that run on another machine do not see this host's files: nothing is said of them, unless --engine says to.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data
unset DOCKER_CONTEXT
for host in tcp://docker:2375 ssh://somebody@elsewhere 192.0.2.7:2375 tcp://localhost.example:2375; do
	golden 2 env DOCKER_HOST=$host "$BINDRIGHT" check
done
golden 2 env DOCKER_HOST=ssh://elsewhere "$BINDRIGHT" fix --yes
golden 2 env DOCKER_HOST=ssh://elsewhere "$BINDRIGHT" id 1001
golden 2 env CONTAINER_HOST=ssh://elsewhere "$BINDRIGHT" check -- podman run -u 1:1 -v ./data:/data example
golden 2 env -u DOCKER_HOST DOCKER_CONTEXT=desktop-linux "$BINDRIGHT" check

# Here they do, or it does not matter.
here() { golden 1 env "$1" "$BINDRIGHT" check -qq "${@:2}"; }
here DOCKER_HOST=tcp://localhost:2375
here DOCKER_HOST=tcp://127.0.0.1:2375
here 'DOCKER_HOST=tcp://[::1]:2375'
here DOCKER_HOST=localhost:2375
here DOCKER_CONTEXT=desktop-linux
here DOCKER_HOST=ssh://elsewhere --engine docker
here CONTAINER_HOST=ssh://elsewhere
here DOCKER_HOST=ssh://elsewhere -- podman run -u 1:1 -v ./data:/data example
golden 0 env DOCKER_HOST=ssh://elsewhere "$BINDRIGHT" explain data --as 0
done_golden
