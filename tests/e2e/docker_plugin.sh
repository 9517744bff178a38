#!/usr/bin/env bash
# `docker bindright …`: the docker client finds the plugin, hands it all of its own options, and passes on what it says and how it ends.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir -p "$DOCKER_CONFIG/cli-plugins" data
ln -s "$BINDRIGHT" "$DOCKER_CONFIG/cli-plugins/docker-bindright"
chown 1000:1000 data
snapshot data >"$engine/before"

# The engine knows whom this image runs as, and nobody else does.
printf 'FROM busybox\nUSER 1001:1001\n' | "$docker" build -q -t plugin-demo - >/dev/null
printf 'services:\n  app:\n    image: plugin-demo\n    volumes: ["./data:/data"]\n' >compose.yaml

expect 0 "$docker" info
says "bindright: Make bind mounts fit the container"
expect 0 "$docker" --help
says "bindright*"
expect 0 "$docker" bindright --version
says "bindright 0."
expect 0 "$docker" bindright --help
says "Makes bind mounts fit"
expect 0 "$docker" help bindright fix
says "Usage: bindright fix"

expect 1 "$BINDRIGHT" check
cp "$out" "$engine/plain"
expect 1 "$docker" bindright check
diff <(sed 's/[0-9.]* s$//' "$engine/plain") <(sed 's/[0-9.]* s$//' "$out") >&2 || die "not the same report"
says "BR101  uid 1001 cannot write"
expect 1 "$docker" bindright
says "BR101"
expect 2 "$docker" bindright check nosuch
says "no such service"
expect 3 "$docker" bindright fix --yes --strategy chown -f /dev/stdin <<-'END'
	services: {app: {image: plugin-demo, user: "1001:1001", volumes: ["/etc:/data"]}}
END

# Docker's own options come before the plugin's name, and name the engine that is asked.
socket=$DOCKER_HOST
export DOCKER_HOST=unix://$engine/none.sock
expect 1 "$docker" bindright check
says "BR303"
for words in "-H $socket" "-H=$socket" "--host $socket" "--host=$socket" "--log-level error -H $socket" "-D -lerror -H$socket" "-DH $socket"; do
	read -r -a options <<<"$words"
	expect 1 "$docker" "${options[@]}" bindright check
	says "BR101  uid 1001 cannot write"
done
export DOCKER_HOST=$socket

if can 1001:1001 "$work/data" -- touch /data/f; then die "it fits from the start"; fi
expect 0 "$docker" bindright fix --yes
can 1001:1001 "$work/data" -- touch /data/f || die "not fixed"
rm data/f
expect 0 "$docker" bindright undo --yes
snapshot data | diff "$engine/before" - >&2 || die "undo left something"

# What newer clients ask for when Tab is pressed.
plugin=$DOCKER_CONFIG/cli-plugins/docker-bindright
expect 0 "$plugin" __complete bindright exp
says "explain	"
says ":4"
expect 0 "$plugin" docker-cli-plugin-metadata
says '"SchemaVersion": "0.1.0"'
