#!/usr/bin/env bash
# A7: root's eyes are not lent to others: what somebody's link leads to is not read, and so not shown, unless he may read it.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Each line of it is an error wherever it is read, and so would be shown.
mkdir -m 700 $T/root
printf 'swordfish hidden: [\n' | tee $T/secret >$T/root/secret
chmod 600 $T/secret
mkdir project project/data && chown -R 7001:7001 project && cd project

# refused COMMAND...: and the secret stays one.
refused() {
	want 2 "$@"
	says 'not followed as root'
	silent swordfish
}
# shown COMMAND...: the control, what makes of the same words an error that shows them.
shown() {
	want 2 "$@"
	says swordfish
}
link() { as 7001 ln -sfn "$1" "$2"; }
file() { printf "%b" "$2" >"$1" && chown 7001:7001 "$1"; }
plain='services: {app: {image: example, user: "1001", volumes: ["./data:/data"]}}\n'

link $T/secret compose.yaml
refused "$BINDRIGHT" check --sysroot $T
refused "$BINDRIGHT" fix --yes --sysroot $T
refused "$BINDRIGHT" check --sysroot $T --file compose.yaml
SUDO_UID=7002 refused "$BINDRIGHT" check --sysroot $T
# His own links are his who asked root.
SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T
rm compose.yaml && link ../../root up && file compose.yaml 'include: [up/secret]\n'
refused "$BINDRIGHT" check --sysroot $T
SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T
file compose.yaml 'services: {app: {extends: {file: up/secret, service: app}}}\n'
refused "$BINDRIGHT" check --sysroot $T
SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T
file compose.yaml "$plain"
for name in .env compose.override.yaml; do
	link $T/secret $name
	refused "$BINDRIGHT" check --sysroot $T
	SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T
	rm $name
done
# An env_file that cannot be read is a warning, an archive cannot be shown at all.
file compose.yaml 'services: {app: {image: example, env_file: up/secret, user: "1001", volumes: ["./data:/data"]}}\n'
want 1 "$BINDRIGHT" check --sysroot $T
says 'not followed as root'
silent swordfish
file compose.yaml 'services: {app: {build: ., volumes: ["./data:/data"]}}\n'
link $T/secret Dockerfile
refused "$BINDRIGHT" check --sysroot $T
SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T
rm Dockerfile
file compose.yaml "$plain"
link $T/secret image.tar
refused "$BINDRIGHT" check --sysroot $T --image-archive image.tar
refused "$BINDRIGHT" check --sysroot $T --daemon-config image.tar
SUDO_UID=7001 shown "$BINDRIGHT" check --sysroot $T --daemon-config image.tar
# Somebody who was given the descriptor's name gets no further by it.
refused "$BINDRIGHT" check --sysroot $T --file /dev/fd/../../../$T/work/project/image.tar
rm image.tar

# Links to what their owner may read are followed: his own, the world's, root's links.
mkdir ../shared && printf "%b" "$plain" | tee ../shared/compose.yaml >$T/root/compose.yaml
printf "%b" "$plain" >$T/everybody.yaml
printf 'FROM scratch\nUSER 1001\n' >../shared/Dockerfile
chmod 600 ../shared/* && chown -R 7001:7001 ../shared
read_well() { want 1 "$BINDRIGHT" check --sysroot $T "$@" && says "uid 1001"; }
for target in ../shared/compose.yaml $T/work/shared/compose.yaml $T/everybody.yaml; do
	link "$target" compose.yaml
	read_well
done
rm compose.yaml && ln -s $T/root/compose.yaml compose.yaml && read_well && rm compose.yaml
file compose.yaml 'services: {app: {build: ., volumes: ["./data:/data"]}}\n'
link ../shared/Dockerfile Dockerfile
read_well
# What another user may read only is not his either.
chown 7003 ../shared/Dockerfile
refused "$BINDRIGHT" check --sysroot $T
