#!/usr/bin/env bash
# What the engine cannot mount it says before: mount points inside other mounts, kinds that differ, options. And explain says what comes before a mount.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

export CONTAINER_HOST=unix://$T/no.sock
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

# Options.
golden 0 mounts runc "${space[@]}" -v "$T/work/inner:/m:O"
golden 0 mounts runc --uidmap 0:0:1 --uidmap 1:100001:65535 -v "$T/work/inner:/m:O"
golden 0 mounts runc -v "$T/work/inner:/m:O"
golden 0 mounts rootless -v "$T/work/inner:/m:O"
golden 0 mounts crun -v "$T/work/inner:/m:idmap"

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
done_golden
