# Shared by the scenarios: each run.sh sources it, and works on a tree of its own that is removed at the end.
# shellcheck shell=bash
#
# With a Docker engine the containers really run: their images are made from what the engine has, or from this machine's static
# busybox, or from what the engine fetches. Without an engine run.sh says so and shows the rest. BINDRIGHT names the
# program; KEEP=1 keeps the tree and the images.

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
images=()
finish() {
	[ -z "${KEEP:-}" ] || return
	[ ${#images[@]} = 0 ] || docker rmi -f "${images[@]}" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT
chmod 755 "$work"
for file in "$here"/*; do
	case $file in
	*/run.sh | */README.md) ;;
	*) cp -r "$file" "$work" ;;
	esac
done
cd "$work" || exit

title() { printf '\n== %s\n' "$*"; }
# Show a command, and run it.
run() {
	printf '$ %s\n' "${*/#"$bindright"/bindright}"
	"$@"
}
fail() {
	echo "run.sh: $*" >&2
	exit 1
}

# What belongs to a person of this host, whom the container's user is not.
belongs_to_alice() {
	[ "$(id -u)" != 0 ] || chown -R 1000:1000 "$@"
}

engine=
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
	engine=docker
fi

# An image to start from without a network: a static busybox, and an adduser where it has none.
import_base() {
	local root=$work/.rootfs busybox
	busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 || return 1
	mkdir -p "$root"/{bin,etc,usr/bin,var/log,run} && mkdir -m 700 "$root/root" && mkdir -m 1777 "$root/tmp"
	ln -s ../run "$root/var/run"
	cp "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	rm -f "$root/bin/adduser"
	cat >"$root/bin/adduser" <<-'END'
		#!/bin/sh
		# adduser -D -u UID NAME
		echo "$4:x:$3:$3::/home/$4:/bin/sh" >>/etc/passwd && echo "$4:x:$3:" >>/etc/group
		mkdir -p "/home/$4" && chown "$3:$3" "/home/$4"
	END
	chmod 755 "$root/bin/adduser"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	tar -C "$root" --owner=0 --group=0 -c . | docker import - bindright-demo-base >/dev/null
	rm -rf "$root"
	images+=(bindright-demo-base)
}

# build IMAGE [DIRECTORY]: from the engine's own image if it has that. Where it cannot be built there is no engine from then on.
has_base=
build() {
	local image=$1 dir=${2:-.} from
	[ -n "$engine" ] || return 0
	from=$(sed -n 's/^FROM //p' "$dir/Dockerfile")
	if ! docker image inspect "$from" >/dev/null 2>&1 && { [ -n "$has_base" ] || import_base; }; then
		has_base=yes from="bindright-demo-base"
	fi
	local id
	if id=$(sed "s|^FROM .*|FROM $from|" "$dir/Dockerfile" | docker build -q -t "$image" -f - "$dir" 2>"$work/.log"); then
		images=("$id" "${images[@]}")
	else
		echo "(the image cannot be built here: $(tail -n 1 "$work/.log"))"
		engine=
	fi
	rm -f "$work/.log"
}

# container OPTION... IMAGE: what `docker compose up` would run.
container() {
	if [ -z "$engine" ]; then
		echo '(not run: there is no Docker engine here that can build its image)'
		return
	fi
	printf '$ docker run %s\n' "$*"
	local options=()
	for option in "$@"; do
		options+=("${option/#.\//"$work"/}")
	done
	docker run --rm --network none "${options[@]}"
}

# The same where it has to fail, and the rest would be told in vain if it did not.
container_fails() {
	if container "$@" && [ -n "$engine" ]; then
		fail "it works: this host has no such problem"
	fi
}
