#!/usr/bin/env bash
# From misfit to fit and back where IDs are mapped: rootless Podman with keep-id and without, and Docker with userns-remap.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/docker.sh
. "$BR_TOP/tests/e2e/lib/docker.sh"

rootfs_tar
rl import -q "$engine/base.tar" image >/dev/null
docker_start remap --userns-remap=br-test:br-test
docker_of remap import "$engine/base.tar" localhost/image:latest >/dev/null
docker_of remap save -o "$engine/images.tar" localhost/image:latest
printf '{"userns-remap": "br-test:br-test"}\n' >remap.json
private_line passwd 'br-other:x:3000:3000::/:/bin/sh'
private_line group 'br-other:x:3000:'

data() {
	rm -rf data
	mkdir -p data/sub
	echo text | tee data/file >data/sub/file
	chown -R 3000:3000 data
	chmod 750 data data/sub
	chmod 640 data/file data/sub/file
}
# What people of the host may: the owner, somebody in the group, a stranger, and a neighbour in the range of IDs.
people() {
	local who path what
	for who in 3000:3000 3001:3000 3002:3002 102000:102000; do
		for path in data data/sub data/file data/sub/file; do
			for what in -r -w -x; do
				setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups test $what $path && echo "$who $path $what"
			done
		done
	done
	true
}
# shellcheck disable=SC2016
works='ls /d >/dev/null && cat /d/sub/file >/dev/null && echo more >>/d/file && mkdir /d/sub/new && rm -r /d/sub/new && touch /d/made && rm /d/made'
# flow ENGINE-OPTIONS -- COMMAND of the engine -- WORDS of the run line
flow() {
	local ours=(--image-archive "$engine/images.tar") run=() words
	while [ "$1" != -- ]; do ours+=("$1") && shift; done
	shift
	while [ "$1" != -- ]; do run+=("$1") && shift; done
	shift
	words=(run --rm --network none "$@" -v "$work/data:/d" localhost/image sh -c "$works")
	local client=podman
	[ "${run[0]}" = rl ] || client=docker
	data
	people >people.before
	snapshot data >snapshot.before
	"${run[@]}" "${words[@]}" >/dev/null 2>&1 && die "it works before: $*"
	expect 1 "$BINDRIGHT" check "${ours[@]}" -- "$client" "${words[@]}"
	# An account that is missing is not what this is about.
	expect 0 "$BINDRIGHT" fix --yes --keep br-other --from 3000 "${ours[@]}" -- "$client" "${words[@]}"
	people | cmp - people.before || die "somebody gained or lost: $*"
	"${run[@]}" "${words[@]}" >see 2>&1 || die "it does not work: $*: $(cat see)"
	expect 0 "$BINDRIGHT" check "${ours[@]}" -- "$client" "${words[@]}"
	expect 0 "$BINDRIGHT" undo --yes
	snapshot data >snapshot.after
	cmp snapshot.before snapshot.after || die "undo left something: $*"
}
export DOCKER_HOST=unix://$work/none CONTAINER_HOST=unix://$work/none
rootless=(--engine podman-rootless --engine-version 4.3 --engine-user br-test)
flow "${rootless[@]}" -- rl -- --userns keep-id
flow "${rootless[@]}" -- rl -- --userns keep-id:uid=1001,gid=1001 -u 1001:1001
flow "${rootless[@]}" -- rl -- --userns keep-id -u 1001:1001
flow "${rootless[@]}" -- rl -- -u 1001:1001
flow "${rootless[@]}" -- rl -- -u 0:0
flow --engine docker --engine-version 20.10 --daemon-config remap.json -- docker_of remap -- -u 1001:1001
flow --engine docker --engine-version 20.10 --daemon-config remap.json -- docker_of remap -- -u 0:0
flow --engine docker --engine-version 20.10 --daemon-config remap.json -- docker_of remap -- --userns host -u 1001:1001
echo "agreed: 8 flows"
