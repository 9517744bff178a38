#!/usr/bin/env bash
# What a Podman line says of users and mounts: its user namespaces, its own mount options, the accounts that it reads.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p etc data root/etc
printf 'root:x:0:0::/root:/bin/sh\nrl:x:2001:2001::/home/rl:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nrl:x:2001:\n' >etc/group
echo rl:100000:65536 | tee etc/subuid >etc/subgid
printf 'root:x:0:0::/:\nbob:x:7777:7778::/:\n' >root/etc/passwd
printf 'root:x:0:\nbob:x:7778:\nmedia:x:44:bob\n' >root/etc/group
chown 3000:3000 data && chmod 750 data
run() { golden "$1" bindright check --sysroot "$T/work" --engine "$2" "${@:3}"; }
rootless=(podman-rootless --engine-user rl)
root=$T/work/root
line=(podman run -u 1001:1001)

# :U gives it all to the container's user; :O lets it write elsewhere, by the same modes.
run 1 podman -- "${line[@]}" -v "$T/work/data:/d" x
run 0 podman -- "${line[@]}" -v "$T/work/data:/d:U" x
run 1 podman -- "${line[@]}" -v "$T/work/data:/d:O" x
# The decision for one path says the same, of the owner that it will have.
echo "podman run --name app -u 1001:1001 -v $T/work/data:/d:U x" >given
golden 0 bindright explain app:/d --sysroot "$T/work" --engine podman --kind run-line -f given --need rwx
golden 1 bindright explain app:/d --sysroot "$T/work" --engine "${rootless[@]}" --kind run-line -f given --need rwx
# Without root the engine can give away only what is in its own user namespace.
run 1 "${rootless[@]}" -- "${line[@]}" -v "$T/work/data:/d:U" x
chown 2001:2001 data
run 0 "${rootless[@]}" -- "${line[@]}" -v "$T/work/data:/d:U" x
# Whatever others may: Podman does not start where it cannot give everything away (lchown: operation not permitted).
touch data/f
chown 3000:3000 data/f && chmod 666 data/f && chmod 777 data
run 1 "${rootless[@]}" -- "${line[@]}" -v "$T/work/data:/d:U" x
# What is the container's already stays.
chown 101000:101000 data/f
run 0 "${rootless[@]}" -- "${line[@]}" -v "$T/work/data:/d:U" x
rm data/f && chmod 750 data
chown 3000:3000 data
golden 0 bindright plan --sysroot "$T/work" --engine podman -- "${line[@]}" -v "$T/work/data:/d:U" x
# With the modes that are there: the owner may not write.
chmod 550 data
run 1 podman -- "${line[@]}" -v "$T/work/data:/d:U" x
chmod 750 data

# keep-id: the image's root directory names nobody, so it is rl.
chown 2001:2001 data
run 0 "${rootless[@]}" -- podman run --userns=keep-id -v "$T/work/data:/d" --rootfs "$root"
run 1 "${rootless[@]}" -- podman run --userns=keep-id -u bob -v "$T/work/data:/d" --rootfs "$root"
run 0 "${rootless[@]}" -- podman run --userns=keep-id:uid=7777,gid=7778 -u bob -v "$T/work/data:/d" --rootfs "$root"
run 1 "${rootless[@]}" -- podman run --userns=auto -u 1:1 -v "$T/work/data:/d" x

# I16: Podman looks names up in the files that are mounted; Docker does not.
chown 7777:7778 data
golden 0 bindright check --sysroot "$T/work" -- podman run -u bob -v "$T/work/data:/d" -v "$root/etc/passwd:/etc/passwd:ro" -v "$root/etc/group:/etc/group:ro" x
golden 0 bindright check --sysroot "$T/work" -- podman run -u bob -v "$T/work/data:/d" -v "$root/etc:/etc:ro" x
golden 1 bindright check --sysroot "$T/work" -- docker run -u bob -v "$T/work/data:/d" -v "$root/etc/passwd:/etc/passwd:ro" -v "$root/etc/group:/etc/group:ro" x

# ID-mapped: on disk it is 1001's, and so it is in the container.
chown 1001:1001 data
run 1 podman -- "${line[@]}" --uidmap 0:100000:65536 -v "$T/work/data:/d" x
run 0 podman -- "${line[@]}" --uidmap 0:100000:65536 -v "$T/work/data:/d:idmap" x
golden 0 bindright inspect --sysroot "$T/work" --origins -- podman run --uidmap 0:100000:65536 -u 0:0 -v "$T/work/data:/d" x
# Wrong words.
run 2 podman -- "${line[@]}" --uidmap 0:100000:x -v "$T/work/data:/d" x
run 2 podman -- "${line[@]}" --userns=keep-id:uid=x -v "$T/work/data:/d" x
done_golden
