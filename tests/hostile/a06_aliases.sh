#!/usr/bin/env bash
# A6: one place that several sources reach by way of bind mounts is one place: what they demand there is solved at once, and undone at once.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir -p data/sub/deep one two above x
touch data/f data/sub/g data/sub/deep/h
chown -R 7001:7001 data && chmod -R go-rwx data
mount --bind data/sub one && mount --bind data/sub two && mount --bind $T above
keep data
# sources SOURCE...: each with a container of its own.
sources() {
	local uid=1001 source
	echo services: >compose.yaml
	for source; do
		printf '  a%s: {image: i, user: "%s:%s", volumes: ["%s:/data%s"]}\n' $uid $uid $uid "${source%%:*}" "${source#"${source%%:*}"}" >>compose.yaml
		uid=$((uid + 1))
	done
}
there_and_back() {
	sources "$@"
	for strategy in auto chown; do
		want 0 fix -q --strategy $strategy
		want 0 fix -q --strategy $strategy
		want 0 undo
		kept
	done
}
there_and_back ./one ./two
there_and_back ./data ./one ./two
there_and_back ./one/deep ./two/deep
there_and_back ./one ./two/deep
there_and_back ./two/deep ./one
there_and_back ./data/sub ./one/deep ./two
there_and_back ./above/work/data/sub ./one/deep ./data
there_and_back ./one/deep/h ./two
# What can only be read by one of its names is changed by the other.
mount -o remount,bind,ro two

there_and_back ./two:ro ./one
there_and_back ./one ./two/deep:ro
# The other way round nothing can be done in the one, and that is not in the way of the other.
sources ./two:ro ./one/deep
want 1 fix -q
getfacl -cn data/sub/deep/h | grep -q 1002 || die 'it is not served'
want 0 undo
kept
mount -o remount,bind,rw two
# A whole file system, and what of it is bound elsewhere.
there_and_back ./data ./above/work/one
# Something else is mounted over it in one of them: these are two places.
mount -t tmpfs -o mode=755 tmpfs data/sub/deep && touch data/sub/deep/other
keep data one
sources ./data/sub ./two/deep
want 1 fix -q
says 'mount point inside'
belong 7001 two/deep two/deep/h
[ "$(getfacl -cn two/deep/h | grep -c 100)" = 1 ] || die "$(getfacl -n two/deep/h)"
want 0 undo
kept
umount data/sub/deep
keep data
# A way that somebody else could have turned is refused, wherever it leads to.
ln -s ../two/deep x/link && chown -h 7005:7005 x x/link
sources ./one ./x/link
want 3 fix -q
says "refused to change"
kept
rm x/link
mkdir x/two && mount --bind data/sub x/two
sources ./one ./x/two/deep
want 3 fix -q
says "refused to change"
umount x/two one two above
