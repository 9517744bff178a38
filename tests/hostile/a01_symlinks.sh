#!/usr/bin/env bash
# A1: a directory that becomes a link on the way leads nowhere, whenever that happens; without openat2 nothing is changed.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

swap="mv data/d aside && ln -s $T/work/outside data/d"
begin() {
	rm -rf data outside aside
	tree 7001 d/f d/g e
	cp -a data/d outside
	chown 7001:7001 outside
}
# Before the walk that changes, after the announcement, in the midst of the changes.
for when in mkdirat:1 fdatasync:2+ fchownat:2 fchownat:3; do
	begin
	keep outside
	meddled $when "$swap" any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	kept
	rm data/d
	mv aside data/d
	want any undo
	owned 7001:7001:644 data/d/f data/d/g data/e
	owned 7001:7001:755 data/d data
done
# The same against undo.
begin
keep data outside
want 0 fix -q --strategy chown
meddled fdatasync:1 "$swap" 1 "$BINDRIGHT" undo --yes
owned 7001:7001:644 outside/f outside/g
belong 1001 aside/f aside/g
rm data/d && mv aside data/d
want 0 undo
kept
# A link is never followed, and never changed.
tree 7001 f
ln -s ../outside data/link
chown -h 7001:7001 data/link
keep outside
want 0 fix -q --strategy chown
kept
[ "$(stat -c %u data/link)" = 7001 ] || die "the link was changed"
want 0 undo

begin
keep data
meddled openat2:1 38 3 "$BINDRIGHT" fix --yes --sysroot $T
kept
