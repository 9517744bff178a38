# Shared by the end-to-end tests: a dockerd of their own, an image of their own, bindright with journals of its own.
# shellcheck shell=bash
#
# Each test sources this file, which needs root, dockerd and a static busybox (77 with a reason otherwise), runs the
# test in a private mount namespace, and stops the engine again when the test ends. With E2E_ENGINE=none there is no
# dockerd, for tests that bring another engine (lib/podman.sh).

skip() {
	echo "skip: $*"
	exit 77
}
die() {
	echo "FAILED: $*" >&2
	exit 1
}

# Namespaces of our own: what we mount is not seen outside, and whatever was started ends with the test. The directory goes last.
if [ -z "${E2E_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	E2E_INSIDE=$(mktemp -d /var/tmp/brXXXXXX) || die "no directory"
	export E2E_INSIDE
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc bash "$0" "$@" &
	inside=$!
	trap 'kill -9 $inside' INT TERM
	status=0
	wait "$inside" || status=$?
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c 'umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup &&
		rmdir "/sys/fs/cgroup/$1" /sys/fs/cgroup/libpod_parent' sh "${E2E_INSIDE##*/}" 2>/dev/null
	for _ in $(seq 20); do
		chattr -R -i -a "$E2E_INSIDE"/work* 2>/dev/null
		rm -rf --one-file-system "$E2E_INSIDE" 2>/dev/null
		[ -e "$E2E_INSIDE" ] || break
		sleep 0.1
	done
	exit "$status"
fi

set -eu
[ -x "${BINDRIGHT:-}" ] || die "BINDRIGHT does not name the program"
for tool in busybox setfacl getfacl; do
	command -v $tool >/dev/null || skip "needs $tool"
done
# The client that belongs to the daemon, where another one comes first in PATH.
docker=/usr/bin/docker
if [ "${E2E_ENGINE:=docker}" = docker ]; then
	command -v dockerd >/dev/null || skip "needs dockerd"
	[ -x "$docker" ] || docker=$(command -v docker) || skip "needs docker"
fi

# Sockets have short paths, and overlay2 wants a real file system.
engine=$E2E_INSIDE
work=$(mktemp -d "$engine/workXXXXXX")
chmod 755 "$engine" "$work"
out=$engine/out err=$engine/err
mkdir -m 700 /var/lib/bindright 2>/dev/null || [ -d /var/lib/bindright ]
mkdir "$engine/state"
chmod 700 "$engine/state"
mount --bind "$engine/state" /var/lib/bindright
# A dockerd would use the machine's own containerd, where there is one, which sees none of our mounts and processes.
[ ! -d /run/containerd ] || mount -t tmpfs -o mode=711 none /run/containerd
export DOCKER_HOST=unix://$engine/docker.sock DOCKER_CONFIG=$engine/config
export DOCKER_BUILDKIT=0

engine_stop() {
	local pid
	if pid=$(cat "$engine/pid" 2>/dev/null); then
		kill "$pid" 2>/dev/null || true
		for _ in $(seq 300); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -9 "$pid" 2>/dev/null || true
	fi
}

# until_ready PID COMMAND...: until it succeeds, which takes as long as it takes on a busy machine; not when that process has ended.
until_ready() {
	local pid=$1 end=$((SECONDS + 90))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] && kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
}

# Where systemd is at work dockerd would have it make the control groups, for processes by our own numbers of them.
engine_start() {
	dockerd --exec-opt native.cgroupdriver=cgroupfs --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/pid" \
		--host "$DOCKER_HOST" --bridge=none --iptables=false --ip6tables=false --log-level=warn "$@" \
		</dev/null >"$engine/log" 2>&1 &
	until_ready $! "$docker" version && return
	tail -n 20 "$engine/log" >&2
	die "dockerd did not start"
}

# The root file system of an image, made from the static busybox of this machine; user nonroot is 1001.
make_rootfs() {
	local root=$engine/rootfs
	mkdir -p "$root"/{bin,etc,tmp,root,proc,dev}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in sh ls id cat touch rm mkdir mv cp stat sleep true date chmod chown; do
		ln -sf busybox "$root/bin/$applet"
	done
	# Debian's static busybox lacks it; nonroot is there already.
	printf '#!/bin/sh\n' >"$root/bin/adduser"
	chmod 755 "$root/bin/adduser"
	printf 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:1001:1001::/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnonroot:x:1001:\n' >"$root/etc/group"
}

trap engine_stop EXIT
make_rootfs
if [ "$E2E_ENGINE" = docker ]; then
	engine_start "$@"
	tar -C "$engine/rootfs" -c . | "$docker" import - busybox:latest >/dev/null
fi
cd "$work"

# in_container USER SOURCE [docker run options] -- COMMAND: run it with SOURCE at /data.
in_container() {
	local user=$1 source=$2 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	"$docker" run --rm --network none --user "$user" "${options[@]}" --volume "$source:/data" busybox sh -c "$*"
}
can() { in_container "$@" >/dev/null 2>&1; }

# expect STATUS COMMAND...: run it, keep what it says in $out and $err.
expect() {
	local want=$1 got=0
	shift
	"$@" >"$out" 2>"$err" || got=$?
	if [ "$got" != "$want" ]; then
		sed 's/^/    /' "$out" "$err" >&2
		die "exit status $got, not $want: $*"
	fi
}
says() { grep -qF -- "$1" "$out" "$err" || { cat "$out" "$err" >&2; die "it does not say: $1"; }; }
says_not() { ! grep -qF -- "$1" "$out" "$err" || { cat "$out" "$err" >&2; die "it says: $1"; }; }

# Owner, mode, size, ACLs and attributes of everything below a directory, sorted: what undo must bring back.
snapshot() {
	find "$1" -printf '%P %U:%G %m %y %i\n' | sort
	getfacl -R -n -p --absolute-names "$1" 2>/dev/null
}
