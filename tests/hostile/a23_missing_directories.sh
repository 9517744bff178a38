#!/usr/bin/env bash
# A23: a directory is made out of sight, and is there with its owner or not at all.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Whoever owns the place in which it is made may interfere.
mkdir -m 755 place && chown 7001:7001 place
compose 'volumes: ["./place/new/data:/data"]'
want 0 fix -q
[ -d place/new/data ] || die "not made"
may 1001 touch place/new/data/f
want 1 undo
says 'not empty'
rm place/new/data/f
want 0 undo
[ ! -e place/new ] || die "undo left it behind"
# Somebody else makes it first.
meddled renameat2:1 'mkdir place/new && chown 7007:7007 place/new' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'somebody else made it meanwhile'
owned 7007:7007:755 place/new
want any undo
owned 7007:7007:755 place/new
rmdir place/new
[ -z "$(ls -A place)" ] || die "a temporary one was left behind"
# Somebody puts another one, or a link, in its place before it is looked at.
mkdir -m 700 outside
keep outside
meddled mkdirat:2+ 'n=$(ls -d place/.bindright-*) && mv $n away && ln -s ../outside $n' 3 "$BINDRIGHT" fix --yes --sysroot $T
kept
want any undo
kept
rm -rf away place/.bindright-*
meddled mkdirat:2+ 'n=$(ls -d place/.bindright-*) && touch $n/theirs' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'somebody else interferes'
want any undo
ls place/.bindright-*/theirs >$T/out || die "undo removed what is not ours"
# One that root made long ago, as private and empty, is moved there.
rm -rf place/.bindright-* && mkdir -m 700 old && sleep 4
keep old
meddled mkdirat:2+ 'n=$(ls -d place/.bindright-*) && mv $n away && mv old $n' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'somebody else interferes'
mv place/.bindright-* old
kept
want any undo
rm -r away old
# Killed at any of its calls nothing is left behind by undo.
rm -rf place/.bindright-* place/new
for when in mkdirat:2 mkdirat:2+ fchownat:1 fchownat:1+ renameat2:1 renameat2:1+ mkdirat:3+; do
	meddled $when "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T
	undo >$T/out 2>&1 || true
	[ -z "$(ls -A place)" ] || die "left behind after $when: $(ls -A place)"
done
# What it would inherit from the directory that it is made in it has not: neither entries nor a group.
rm -rf place
mkdir place && chown 7001:7100 place && chmod 2755 place
setfacl -d -m u:7300:rwx,g:7400:rwx,o::rwx place
compose 'volumes: ["./place/data:/data"]'
want 0 fix -q
[ "$(getfacl -cp place/data | grep -c .)" = 3 ] || die "inherited: $(getfacl -cp place/data)"
owned 1001:1001:755 place/data
want 0 undo
[ -z "$(ls -A place)" ] || die "left behind: $(ls -A place)"
# Somebody else's, as empty and private; what he adds while it is made; and what he puts in its place afterwards.
as 7001 true && chmod 755 place
meddled mkdirat:2+ 'n=$(ls -d place/.bindright-*) && mv $n away && mkdir -m 700 $n && chown 7007 $n' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'somebody else interferes'
want any undo
belong 7007 place/.bindright-*
rm -r away place/.bindright-*
meddled fchownat:1+ 'setfacl -m u:7300:rwx place/.bindright-*' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'its ACL is another one now'
want any undo
[ -z "$(ls -A place)" ] || die "left behind: $(ls -A place)"
meddled renameat2:1+ 'mv place/data away && mkdir place/data' 3 "$BINDRIGHT" fix --yes --sysroot $T
says 'another one has its name now'
want any undo
belong 0 place/data
