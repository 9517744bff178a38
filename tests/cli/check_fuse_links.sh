#!/usr/bin/env bash
# A link that lies on a file system of somebody's program is read by a process of its own, and followed as any other.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1
command -v bindfs >/dev/null || skip "needs bindfs"
[ -e /dev/fuse ] || skip "needs /dev/fuse"

mkdir -p source/data other mnt && touch source/data/f other/f && chown -R 1001:1001 source other
long=$(printf 'd/%.0s' {1..2000})
ln -s data source/cur
ln -s cur/f source/twice
ln -s ../other source/up
ln -s "$T/work/other" source/absolute
ln -s nowhere source/dangling
ln -s self source/self
ln -s "$long" source/long
bindfs source mnt
for link in cur twice up absolute; do
	compose "volumes: ['./mnt/$link:/data']"
	bindright check --sysroot "$T" -q >out 2>&1 || die "$link: $(cat out)"
done
for link in dangling self long; do
	compose "volumes: ['./mnt/$link:/data']"
	golden 1 bindright check -q --sysroot "$T"
done
umount -l mnt
done_golden
