#!/usr/bin/env bash
# What only Podman can be told, as inspect shows it.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data root etc
printf 'rl:100000:65536\n' | tee etc/subuid >etc/subgid
printf 'rl:x:2001:2001::/:/bin/sh\n' >etc/passwd
printf 'rl:x:2001:\n' >etc/group
show() { golden 0 bindright inspect --sysroot . --engine podman "$@"; }
pod=(-- podman run --pod web --uidmap 0:100000:65536 --gidmap 0:100000:65536 --umask 0077 --hostuser root -u 1:1 -v "$PWD/data:/data:U,idmap" --rootfs "$PWD/root" sh)
names=(-- podman run --subuidname rl --subgidname rl -u 1:1 -v "$PWD/data:/data:O" image)
show "${pod[@]}"
show "${names[@]}"
show --format json --origins "${pod[@]}"
show --format json "${names[@]}"
done_golden
