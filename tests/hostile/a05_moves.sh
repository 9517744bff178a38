#!/usr/bin/env bash
# A5: what moves in or out while it works is left to whom it belongs.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 d/f d/g e/f
echo x >private && chown 7007:7007 private && chmod 600 private
keep private
# A file of somebody else moves in, before the walk and after the announcement.
for when in mkdirat:1 fdatasync:2+ fchownat:2; do
	keep private
	meddled $when 'mv private data/d/g' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	mv data/d/g private
	kept
	want any undo
	rm -r data
	tree 7001 d/f d/g e/f
done
# A whole directory moves out of the tree: what was not reached yet stays as it is.
keep data/d
meddled fdatasync:2+ 'mv data/d moved' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'it is gone'
mv moved data/d
kept
# Put back where it moved to? No: where it was.
want 0 undo
owned 7001:7001:644 data/d/f data/d/g data/e/f
# Children first: whoever gets a directory gets it when nothing below is left to be done.
meddled fchownat:1 'test "$(stat -c %u data)" = 7001 && test "$(stat -c %u data/d)" = 7001' 0 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
# And parents first on the way back.
meddled fchownat:2 'test "$(stat -c %u data)" = 7001 && test "$(stat -c %u data/d/f)" = 1001' 0 "$BINDRIGHT" undo -q --yes
# What nobody was asked about is not changed: nothing like it was there when the plan was made.
touch new && chmod 640 new && chown 7001:7001 new
keep new
meddled mkdirat:1 'mv new data/d/new' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'data/d/new: nothing like it was there when the plan was made'
mv data/d/new new
kept
belong 1001 data data/d/f data/d/g
want 0 undo
