# Podman for the end-to-end tests: rootful and rootless, with runc and with crun, from images and settings of its own.
# shellcheck shell=bash disable=SC2154
#
# Sourced after lib.sh. What Podman, runc, crun and the C library read and write below /run, /dev/shm, /var/lib and
# /etc is private to the mount namespace that lib.sh made, so that a test leaves nothing behind and needs no account.
#
#   pm ARGUMENTS              podman as root
#   rl ARGUMENTS              podman as user br-test
#   as_rootless COMMAND...    any command as br-test
#   serve_root, serve_rootless  their services, which answer then, at $service and $rootless_service
#   rootfs_tar                the root file system of lib.sh as $engine/base.tar
#   app_accounts              in it: root, who is in media too; app, 1001:1002 with extra and media
#   app_images plain|labelled images of it for both Podmans, and in $engine/images.tar: `image`; `imageapp`, which runs as app; `labelled`, which
#                             says by its label what capabilities it wants
#
# The runtime is runc; crun is chosen by `pm --runtime crun run --cgroups=disabled`.
# br-test is 2001:2001 with host group 5000 too, and has the subordinate IDs 100000-165535.

for tool in podman runc crun newuidmap setpriv; do
	command -v $tool >/dev/null || skip "needs $tool"
done
pod=$engine/podman rootless_id=2001
mkdir -m 755 "$pod" "$pod/etc" "$pod/root" "$pod/home"

# A line appended to a private copy of a file in /etc.
private_line() {
	local copy=$pod/etc/$1
	if ! [ -e "$copy" ]; then
		cp -p "/etc/$1" "$copy"
		mount --bind "$copy" "/etc/$1"
	fi
	printf '%s\n' "$2" >>"$copy"
}

# crun takes no mixed hierarchy of control groups. In one of version 2 alone Podman's service wants to read its own group,
# and from the root group it would move us all. lib.sh removes the group of this name.
private_cgroups() {
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || return 0
	umount -l /sys/fs/cgroup
	mount -t cgroup2 none /sys/fs/cgroup
	mkdir -m 755 "/sys/fs/cgroup/${engine##*/}"
	echo 0 >"/sys/fs/cgroup/${engine##*/}/cgroup.procs"
}

podman_world() {
	mount -t tmpfs -o mode=755 none /run
	mount -t tmpfs -o mode=1777 none /dev/shm
	mkdir "$pod/lib" "$pod/lib.work"
	mount -t overlay -o "lowerdir=/var/lib,upperdir=$pod/lib,workdir=$pod/lib.work" none /var/lib
	mount --bind "$engine/state" /var/lib/bindright
	mkdir -p "/run/user/$rootless_id" "$pod/home/tmp"
	chown "$rootless_id:$rootless_id" "/run/user/$rootless_id"
	chmod 700 "/run/user/$rootless_id"
	private_cgroups
	private_line passwd "br-test:x:$rootless_id:$rootless_id::$pod/home:/bin/sh"
	private_line group "br-test:x:$rootless_id:"
	private_line group "br-share:x:5000:br-test"
	private_line subuid br-test:100000:65536
	private_line subgid br-test:100000:65536
	chown -R "$rootless_id:$rootless_id" "$pod/home"
}

# The settings that any such machine needs: no network, limits that need no rights, no systemd. Whose capabilities a
# container has stays the distribution's file's word (containers.conf(5): the files are read one after the other).
podman_settings() {
	local conf=$pod/containers
	mkdir -m 755 "$conf"
	cat >"$conf/containers.conf" <<-'END'
		[containers]
		netns = "none"
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		pids_limit = 0
		log_driver = "none"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		runtime = "runc"
	END
	printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "/run/containers/storage"\n' "$pod/root" >"$conf/storage.conf"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$conf/policy.json"
	: >"$conf/registries.conf"
	mount --bind "$conf" /etc/containers
	# Podman asks for Docker's file of logins where DOCKER_CONFIG names its folder.
	mkdir -p "$DOCKER_CONFIG"
	echo '{}' >"$DOCKER_CONFIG/config.json"
}

as_rootless() {
	(cd / && exec setpriv --reuid "$rootless_id" --regid "$rootless_id" --init-groups env -i PATH="$PATH" HOME="$pod/home" \
		TMPDIR="$pod/home/tmp" USER=br-test XDG_RUNTIME_DIR="/run/user/$rootless_id" "$@")
}

pm() { podman "$@"; }
rl() { as_rootless podman --storage-driver vfs "$@"; }
# The words after `run` or `create` that one runtime needs here.
runtime_words() {
	case $1 in
	runc) ;;
	crun) echo --cgroups=disabled ;;
	esac
}

# away CLIENT... rm WORDS...: Podman's monitor may still be taking the container's /dev/shm away, then it is asked again.
away() {
	local again='' end=$((SECONDS + 60))
	while [ $SECONDS -lt $end ]; do
		! "$@" >/dev/null 2>"$err" || return 0
		[ -z "$again" ] || ! grep -qi 'no such container\|no container with\|no such pod\|no pod with' "$err" || return 0
		again=1
		sleep 0.3
	done
	cat "$err" >&2
	return 1
}

# Their services, for clients: root's at the path in service, br-test's at the one in rootless_service.
service=$engine/podman.sock rootless_service=/run/user/$rootless_id/podman.sock
serve_root() {
	(cd / && exec podman system service --time 0 "unix://$service" >"$engine/service.log" 2>&1) &
	until_ready $! answers "$service" || die "no service: $(cat "$engine/service.log")"
}
serve_rootless() {
	as_rootless podman --storage-driver vfs system service --time 0 "unix://$rootless_service" >"$engine/rootless.log" 2>&1 &
	until_ready $! answers "$rootless_service" || die "no rootless service: $(cat "$engine/rootless.log")"
}
# Somebody answers there, and not only the socket is there.
answers() {
	python3 - "$1" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(30)
		s.connect(sys.argv[1])
		s.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
		sys.exit(b" 200 " not in s.recv(100))
	END
}

podman_world
[ -d /etc/containers ] || die "Debian's golang-github-containers-common is missing"
podman_settings

rootfs_tar() {
	tar -C "$engine/rootfs" -c . >"$engine/base.tar"
	chmod 644 "$engine/base.tar"
}
app_accounts() {
	printf '%b' 'root:x:0:0::/:\napp:x:1001:1002::/:\n' >"$engine/rootfs/etc/passwd"
	printf '%b' 'root:x:0:\napp:x:1002:\nextra:x:2000:app\nmedia:x:2001:app,root\n' >"$engine/rootfs/etc/group"
}
app_images() {
	local images=(image imageapp)
	rootfs_tar
	pm import -q "$engine/base.tar" image >/dev/null
	pm import -q -c 'USER app' "$engine/base.tar" imageapp >/dev/null
	if [ "$1" = labelled ]; then
		images+=(labelled)
		pm import -q -c 'LABEL io.containers.capabilities=CHOWN,FOWNER' "$engine/base.tar" labelled >/dev/null
	fi
	pm save -q -m -o "$engine/images.tar" "${images[@]}"
	chmod 644 "$engine/images.tar"
	rl load -q -i "$engine/images.tar" >/dev/null
}
