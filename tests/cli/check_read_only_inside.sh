#!/usr/bin/env bash
# What lies on a read-only mount below a source cannot be written, whatever its modes say: a bind, a file system, a file; not what is writable again below it.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data/bind data/super data/open frozen/again again
touch data/f data/file file frozen/f again/f
mount -t tmpfs -o mode=755 tmpfs data/super
mkdir data/super/deep && touch data/super/deep/f
chown -R 1001:1001 data frozen again file
mount --bind frozen data/bind && mount -o remount,ro,bind data/bind
mount --bind again data/bind/again
mount -o remount,ro data/super
mount --bind file data/file && mount -o remount,ro,bind data/file
# "It works" only where nothing is said about the mounts; all the rest is judged as it was.
compose 'volumes: ["./data:/data"]'
golden 1 bindright check --sysroot "$T" --cross-file-systems
golden 1 bindright check -q --sysroot "$T" --cross-file-systems --exclude bind --exclude super
chmod 600 frozen/f && chown 1000:1000 frozen/f
golden 1 bindright plan --sysroot "$T" --cross-file-systems
golden 1 bindright check --sysroot "$T" --cross-file-systems --need /data=r
chown 1001:1001 frozen/f

# Who only reads is content, and who does not see the mounts is, too.
compose 'volumes: ["./data:/data:ro"]'
golden 0 bindright check --sysroot "$T" --cross-file-systems
golden 1 bindright check --sysroot "$T" --cross-file-systems --need /data=rw
compose 'volumes: [{type: bind, source: ./data, target: /data, bind: {recursive: disabled}}]'
golden 0 bindright check --sysroot "$T" --cross-file-systems
golden 0 bindright check --sysroot "$T"

# :ro reaches what is mounted below, unless the mount says otherwise.
mkdir other && touch other/f && chown -R 1001:1001 other && mount --bind other data/open
compose 'volumes: ["./data:/data:ro"]'
golden 1 bindright explain --sysroot "$T" app:/data/open/f --need w
golden 0 bindright explain --sysroot "$T" app:/data/open/f --need w --engine-version 20.10
golden 0 bindright explain --sysroot "$T" app:/data/open/f --need w --engine podman
golden 1 bindright explain --sysroot "$T" app:/data/f --need w --engine podman
compose 'volumes: [{type: bind, source: ./data, target: /data, read_only: true, bind: {recursive: writable}}]'
golden 0 bindright explain --sysroot "$T" app:/data/open/f --need w
golden 1 bindright explain --sysroot "$T" app:/data/bind/f --need w
golden 1 bindright explain --sysroot "$T" app:/data --need w
done_golden
