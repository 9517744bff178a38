#!/usr/bin/env bash
# What containers mount that nobody asked about, running ones and stopped ones of both engines, is left alone in the tree of another's mount.
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/docker.sh
. "$BR_TOP/tests/e2e/lib/docker.sh"

tar -C "$engine/rootfs" -c . >"$engine/base.tar"
pm import -q "$engine/base.tar" busybox >/dev/null
docker_start plain
docker_of plain import "$engine/base.tar" busybox >/dev/null
serve_root

none=unix://$work/none
fresh() {
	rm -rf proj && mkdir -p proj/app proj/pg proj/kept proj/own && touch proj/app/a proj/pg/base proj/kept/k proj/own/o
	chown -R 1000:1000 proj && chmod -R go-rwx proj
	printf 'name: proj\nservices:\n  web:\n    image: busybox\n    user: "1001:1001"\n    volumes: ["./proj:/app"]\n' >compose.yaml
}
granted() { # which of the files uid 1001 got
	for f in app/a pg/base kept/k own/o; do
		! getfacl -cnp "proj/$f" | grep -q '^user:1001:rw-' || printf '%s ' "$f"
	done
}
# CLIENT... : a container of each sort that the engine has.
populate() {
	"$@" run -d --name pg --network none -v "$work/proj/pg:/data" busybox sleep 1000 >/dev/null
	"$@" volume create --driver local --opt type=none --opt o=bind --opt "device=$work/proj/kept" kept >/dev/null
	"$@" create --name keeper --network none -v kept:/kept busybox true >/dev/null
	# An earlier start of the one that is asked about, and one that mounts all of it, too.
	"$@" create --name proj-web-1 --label com.docker.compose.project=proj --label com.docker.compose.service=web \
		--network none -v "$work/proj/own:/own" busybox true >/dev/null
	"$@" create --name outer --user 1001:1001 --network none -v "$work:/all" busybox true >/dev/null
}
try() { # NAME, environment, then what it is asked with
	local name=$1
	shift
	fresh
	expect 1 "$@" fix --yes --format json
	says "lie under the mount of the container 'pg', which was not asked about"
	says "lie under the mount of the container 'keeper', which was not asked about"
	says_not "container 'proj-web-1'"
	says_not "container 'outer'"
	[ "$(granted)" = 'app/a own/o ' ] || die "$name: it gave: $(granted)"
	[ "$(stat -c '%a' proj/pg proj/kept | xargs)" = '700 700' ] || die "$name: a directory was changed"
	expect 0 "$@" undo --yes
	expect 0 "$@" fix --yes --other-mounts
	[ "$(granted)" = 'app/a pg/base kept/k own/o ' ] || die "$name: with the option it gave: $(granted)"
	expect 0 "$@" undo --yes
	[ -z "$(granted)" ] || die "$name: undo"
}
fresh
populate docker_of plain
ask=(env "CONTAINER_HOST=$none" "DOCKER_HOST=unix://$engine/docker-plain/docker.sock" "$BINDRIGHT")
try docker "${ask[@]}"
# A run line by its name, and a container that exists: its own mounts are its own.
fresh
expect 1 "${ask[@]}" plan --format json -- docker run --name pg --user 1001:1001 -v "$work/proj:/app" busybox
says_not "container 'pg'"
says "container 'keeper'"
expect 1 "${ask[@]}" plan --format json --container outer
says_not "container 'outer'"
says "container 'pg'"
says "container 'proj-web-1'"
docker_of plain rm -f pg keeper proj-web-1 outer >/dev/null
populate pm
ask=(env "DOCKER_HOST=$none" "CONTAINER_HOST=unix://$engine/podman.sock" "$BINDRIGHT")
try podman "${ask[@]}"
away pm rm -f -t 0 pg keeper proj-web-1 outer
fresh
expect 0 "${ask[@]}" fix --yes
[ "$(granted)" = 'app/a pg/base kept/k own/o ' ] || die "without containers it gave: $(granted)"
