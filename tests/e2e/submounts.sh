#!/usr/bin/env bash
# What is mounted below a source: read-only mounts, and how far :ro reaches in this engine; a container tries what check and explain say.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir -p data/frozen/again data/open frozen/again open again data/super
chown -R 1001:1001 data frozen open again
touch frozen/f open/f again/f && chown 1001:1001 frozen/f open/f again/f
mount --bind frozen data/frozen && mount -o remount,ro,bind data/frozen
mount --bind again data/frozen/again
mount --bind open data/open
mount -t tmpfs -o mode=755,uid=1001,gid=1001 tmpfs data/super && touch data/super/f && chown 1001:1001 data/super/f
mount -o remount,ro data/super

compose_app() {
	printf 'services:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes: ["./data:/data%s"]\n' "$1" >compose.yaml
}
# agrees PATH: what explain says of writing it is what the container can.
agrees() {
	local said=0 did=0
	"$BINDRIGHT" explain "app:/data/$1" --need w >"$out" 2>&1 || said=$?
	can 1001:1001 "$work/data" "${@:2}" -- "echo x >>/data/$1" || did=1
	[ "$said" = "$did" ] || { cat "$out" >&2; die "$1: explain says $said, the container $did"; }
	echo -n "$said"
}
touch data/f && chown 1001:1001 data/f
compose_app ''
[ "$(for f in f frozen/f frozen/again/f open/f super/f; do agrees $f; done)" = 01001 ] || die "not as mounted"
expect 1 "$BINDRIGHT" check --cross-file-systems
says "2 mount points inside"
says BR205
says_not BR104
expect 1 "$BINDRIGHT" check
says BR209

# From 25.0 on :ro reaches them all; before, it reaches none.
major=$("$docker" version --format '{{.Server.Version}}' | cut -d. -f1)
ro() { "$docker" run --rm --network none --user 1001:1001 --volume "$work/data:/data:ro" busybox sh -c "$1" 2>/dev/null; }
below=yes
ro 'echo x >>/data/f' && die ":ro does not hold"
ro 'echo x >>/data/frozen/f' && die "a read-only mount below is writable"
ro 'echo x >>/data/open/f' || below=no
[ "$below" = "$([ "$major" -ge 25 ] && echo no || echo yes)" ] || die "the table of habits is wrong about $major"
