# More dockerds than the one of lib.sh, for the end-to-end tests.
# shellcheck shell=bash disable=SC2154
#
# Sourced after lib.sh and podman.sh, whose private /run, /etc/passwd, subuid and subgid they see.
#
#   docker_start NAME [OPTION...]    a dockerd; the name rootless starts one as br-test
#   docker_of NAME ARGUMENTS         its client
#   docker_start_all                 plain, remap (to br-test) and rootless, each with the images of $engine/images.tar

for tool in dockerd rootlesskit; do
	command -v $tool >/dev/null || skip "needs $tool"
done
[ -x "$docker" ] || docker=$(command -v docker) || skip "needs docker"

docker_of() {
	"$docker" -H "unix://$engine/docker-$1/docker.sock" "${@:2}"
}

docker_start() {
	local name=$1 dir=$engine/docker-$1
	shift
	mkdir -m 755 "$dir"
	local words=(dockerd --exec-opt native.cgroupdriver=cgroupfs --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" --host "unix://$dir/docker.sock"
		--bridge=none --iptables=false --ip6tables=false --log-level=warn "$@")
	if [ "$name" = rootless ]; then
		chown "$rootless_id:$rootless_id" "$dir"
		mkdir -m 700 "/run/user/$rootless_id/docker"
		chown "$rootless_id:$rootless_id" "/run/user/$rootless_id/docker"
		# In its /run are links to what others made.
		# shellcheck disable=SC2016
		as_rootless env XDG_RUNTIME_DIR="/run/user/$rootless_id/docker" rootlesskit --state-dir "$dir/rk" --net=host --copy-up=/etc --copy-up=/run \
			sh -c 'rm -f /run/docker /run/containerd; exec "$@"' sh "${words[@]}" --rootless --storage-driver vfs </dev/null >"$dir/log" 2>&1 &
	else
		"${words[@]}" </dev/null >"$dir/log" 2>&1 &
	fi
	until_ready $! docker_of "$name" version && return
	tail -n 20 "$dir/log" >&2
	die "dockerd '$name' did not start"
}

docker_start_all() {
	local name
	docker_start plain
	docker_start remap --userns-remap=br-test:br-test
	docker_start rootless
	for name in plain remap rootless; do
		docker_of "$name" load -q -i "$engine/images.tar" >/dev/null
	done
}
