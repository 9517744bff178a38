#!/usr/bin/env bash
# A rootless engine reaches sources, and makes missing ones, as the user who runs it.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p etc/docker
printf 'root:x:0:0::/root:/bin/sh\nrl:x:2001:2001::/home/rl:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nrl:x:2001:\nshare:x:5000:rl\n' >etc/group
echo rl:100000:65536 | tee etc/subuid >etc/subgid
check() { golden "$1" bindright check --sysroot "$T/work" "${@:2}"; }
podman=(--engine podman-rootless --engine-user rl)
docker=(--engine docker-rootless --engine-user rl)

# B14: a parent that lets only root in stops it, whatever the source itself allows.
compose 'volumes: ["./top/data:/data"]'
mkdir -p top/data && chmod 777 top/data && chmod 700 top
check 1 "${podman[@]}"
check 1 "${docker[@]}"
golden 1 bindright check --sysroot "$T/work" "${podman[@]}" --format json
# As root it does not.
check 0 --engine podman
check 0 --engine docker
# A group of the user, an entry for him, or his own directory will do (B15).
chgrp 5000 top && chmod 710 top
check 0 "${podman[@]}"
chmod 700 top && setfacl -m u:2001:x top
check 0 "${podman[@]}"
setfacl -b top && chmod 700 top && chown 2001:2001 top
check 0 "${podman[@]}"
# The other way: through a link.
chown 0:0 top && ln -s top/data link
compose 'volumes: ["./link:/data"]'
check 1 "${podman[@]}"

# Missing sources: Podman makes none; Docker's become the user's, where he may write.
compose 'volumes: ["./new/data:/data"]'
check 1 "${podman[@]}"
check 1 --engine podman
check 1 "${docker[@]}"
mkdir new && chown 2001:2001 new
check 1 "${docker[@]}"
sed -i 's/user: .*/user: "0:0"/' compose.yaml
check 0 "${docker[@]}"
# Under userns-remap they are the remapped root's (B2).
echo '{"userns-remap": "rl"}' >etc/docker/daemon.json
check 0
sed -i 's/user: .*/user: "1001:1001"/' compose.yaml
check 1
done_golden
