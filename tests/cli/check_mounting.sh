#!/usr/bin/env bash
# What the engine cannot mount it says before: mount points inside other mounts, kinds that differ, options. And explain says what comes before a mount.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p etc
printf 'root:x:0:0::/root:/bin/sh\nrl:x:2001:2001::/home/rl:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nrl:x:2001:\nshare:x:5000:rl\n' >etc/group
echo rl:100000:65536 | tee etc/subuid >etc/subgid
mkdir inner outer outer/there
touch file outer/file
chmod 777 inner
codes() { bindright check --sysroot "$T/work" -q "$@" | grep -E 'BR(203|212|402)' | sed 's/^<command line>:[0-9:]* //' || echo none; }
mounts() { # ENGINE WORDS...
	local engine=$1 words=(podman)
	shift
	case $engine in
	docker) words=(docker) ;;
	podman | rootless) ;;
	*) words=(podman --runtime "$engine") ;;
	esac
	case $engine in
	docker) codes --engine docker -- docker run -u 1001:1002 "$@" image ;;
	rootless) codes --engine podman-rootless --engine-user rl --engine-version 4.3 -- podman --runtime "${runtime:-runc}" run -u 0:0 "$@" image ;;
	*) codes --engine podman --engine-version 4.3 -- "${words[@]}" run -u 1001:1002 "$@" image ;;
	esac
}

# The mount point is missing: made on the host, unless the outer mount is read-only, which crun makes it last.
for engine in docker runc crun rootless; do
	golden 0 mounts $engine -v "$T/work/outer:/m" -v "$T/work/inner:/m/new"
	golden 0 mounts $engine -v "$T/work/outer:/m:ro" -v "$T/work/inner:/m/new"
	golden 0 mounts $engine -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
done
# In a user namespace its root mounts.
space=(--uidmap 0:100000:65536)
chmod 700 outer
golden 0 mounts runc -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
golden 0 mounts runc "${space[@]}" -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
golden 0 mounts rootless -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
setfacl -m u:100000:x,u:2001:x outer
golden 0 mounts runc "${space[@]}" -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
golden 0 mounts rootless -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
golden 0 mounts rootless -v "$T/work/outer:/m" -v "$T/work/inner:/m/new"
setfacl -b outer
# Its group 5000 lets the rootless engine in where runc makes no namespace of its own; crun has the container's groups.
chgrp 5000 outer && chmod 750 outer
golden 0 mounts rootless -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
golden 0 mounts rootless --userns keep-id -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
runtime=crun golden 0 mounts rootless -v "$T/work/outer:/m" -v "$T/work/inner:/m/there"
chown 0:0 outer && chmod 755 outer

# A directory and a file are not mounted on each other.
golden 0 mounts docker -v "$T/work/outer:/m" -v "$T/work/inner:/m/file"
golden 0 mounts docker -v "$T/work/outer:/m" -v "$T/work/file:/m/there"
golden 0 mounts docker -v "$T/work/outer:/m" -v "$T/work/file:/m/file"
golden 0 mounts docker -v "$T/work/outer:/m" -v "$T/work/inner:/m/file/in"

# Options.
golden 0 mounts runc "${space[@]}" -v "$T/work/inner:/m:O"
golden 0 mounts runc --uidmap 0:0:1 --uidmap 1:100001:65535 -v "$T/work/inner:/m:O"
golden 0 mounts runc -v "$T/work/inner:/m:O"
golden 0 mounts rootless -v "$T/work/inner:/m:O"
golden 0 mounts crun -v "$T/work/inner:/m:idmap"

# What the container finds behind :O is reached and copied with the rights of who mounted that: no IDs that he has not.
asks() { # STATUS ENGINE PATH NEED WORDS...
	local status=$1 engine=$2 path=$3 need=$4
	shift 4
	echo "podman --runtime ${runtime:-runc} run --name c $* image" >lines
	case $engine in
	rootless) set -- --engine podman-rootless --engine-user rl ;;
	*) set -- --engine podman ;;
	esac
	runtime='' golden "$status" bindright explain --sysroot "$T/work" "$@" --engine-version 4.3 --kind run-line -f lines "c:$path" --need "$need"
}
mkdir -p top/{mapped,other}
chown 101000:101000 top/mapped
chmod 777 top/*
touch top/other/f && chmod 666 top/other/f
asks 0 rootless /m/mapped rwx -u 1001:1001 -v "$T/work/top:/m:O"
asks 1 rootless /m/other rwx -u 1001:1001 -v "$T/work/top:/m:O"
asks 1 rootless /m/other/f rw -u 1001:1001 -v "$T/work/top:/m:O"
asks 0 rootless /m/other/f r -u 1001:1001 -v "$T/work/top:/m:O"
asks 0 root /m/other/f rw -u 1001:1001 -v "$T/work/top:/m:O"
golden 1 bindright check -q --sysroot "$T/work" --engine podman-rootless --engine-user rl --engine-version 4.3 -- podman --runtime runc run -u 1001:1001 -v "$T/work/top:/m:O" image

# crun shows a container in a user namespace nothing of what is mounted below a source.
mount --bind top/mapped top/other
asks 0 root /m/other rwx -u 1001:1001 -v "$T/work/top:/m"
runtime=crun asks 0 root /m/other rwx -u 1001:1001 -v "$T/work/top:/m"
runtime=crun asks 2 root /m/other rwx -u 1001:1001 "${space[@]}" -v "$T/work/top:/m"
umount top/other

# Root by another word than root's or 0 has no capabilities of Podman's, and gets none from its program.
chown 3000:3000 top && chmod 700 top
asks 0 root /m rwx -u 00 -v "$T/work/top:/m"
asks 0 root /m rwx -u 0:0 --security-opt no-new-privileges -v "$T/work/top:/m"
asks 1 root /m rwx -u 00 --security-opt no-new-privileges -v "$T/work/top:/m"
asks 0 root /m r -u 00 --security-opt no-new-privileges --cap-add DAC_OVERRIDE -v "$T/work/top:/m"
asks 0 root /m rwx -u 00 --security-opt no-new-privileges=false -v "$T/work/top:/m"

# explain: the container does not start, or does not come to the mount.
cat >compose.yaml <<'YAML'
services:
  app:
    image: example
    user: "1001:1001"
    volumes: ["./outer:/data:ro", "./inner:/data/new"]
  web:
    image: example
    user: "1001:1001"
    volumes: ["./outer:/data", "./inner:/data/there"]
YAML
golden 1 bindright check --sysroot "$T/work" -q app
golden 0 bindright explain --sysroot "$T/work" app:/data
golden 1 bindright explain --sysroot "$T/work" app:/data/new --need r
golden 1 bindright explain --sysroot "$T/work" app:/data/new --need r --format json
golden 0 bindright explain --sysroot "$T/work" web:/data/there --need r
chmod 700 outer
golden 1 bindright explain --sysroot "$T/work" web:/data/there --need r
golden 1 bindright explain --sysroot "$T/work" web:/data/there --need r --format json
chmod 755 outer
# What it makes there, in words and in JSON.
setfacl -m d:u:2001:rwx outer/there && chmod 777 outer/there
golden 0 bindright explain -v --sysroot "$T/work" web:/data/there
sed -i 's|"./inner:/data/there"|"./inner:/inner"|' compose.yaml
golden 0 bindright explain -v --sysroot "$T/work" web:/data/there
golden 0 bindright explain --format json --sysroot "$T/work" web:/data/there
golden 0 bindright explain -v --sysroot "$T/work" web:/data
done_golden
