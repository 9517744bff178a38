#!/usr/bin/env bash
# A2: another name of a file that is not the owner's to give is never changed.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Root's files, those of others, and what more names than the tree's lead to are listed.
tree 7001 a b mine
echo secret >outside && chmod 644 outside && ln outside data/roots
echo theirs >elsewhere && chown 7007:7007 elsewhere && ln elsewhere data/theirs
echo both >data/x && chown 7001:7001 data/x && ln data/x beside
echo secret >data/private && chmod 600 data/private
keep outside elsewhere beside data/private
want 1 fix -q
kept
want 1 bindright plan --sysroot $T
says 'closed to everybody else'
says 'may be linked from elsewhere' 'belongs to uid 7007' 'further links outside'
want 0 undo

rm -r data

# What root alone gets to is root's alone, whatever its own mode says; asked for, it is not.
tree 7001 a
mkdir -p data/backup/d && echo secret | tee data/backup/shadow.bak >data/backup/d/f && chmod 700 data/backup
keep data/backup
for strategy in chown acl; do
	want 1 fix -q --strategy $strategy
	kept
	getfacl -cp data/a | grep -q 1001 || belong 1001 data/a
	want 0 undo
done
want 1 bindright plan --sysroot $T
says "4 below $T/work/data are root's and closed to everybody else"
printf 'ann:x:7001:7001::/nonexistent:/bin/sh\n' >>$T/etc/passwd
want 1 bindright reclaim -q --yes --sysroot $T --keep ann
kept
want 0 undo
want 0 fix -q --strategy chown --from root
belong 1001 data/backup data/backup/shadow.bak data/backup/d/f
want 0 undo
kept
rm -r data

# What lies under the mount of another container is that one's.
tree 7001 a sub/f
printf '  other: {image: example, user: "1002:1002", volumes: ["./data/sub:/data"]}\n' >>compose.yaml
keep data/sub
want 1 fix -q --strategy chown app
kept
belong 1001 data/a
want 1 bindright plan --sysroot $T app
says "lie under the mount of the service 'other', which was not asked for"
want 0 undo
rm -r data

# All names within the tree are as good as one.
tree 7001 a
ln data/a data/again
want 0 fix -q --strategy chown
belong 1001 data/a data/again
want 0 undo
owned 7001:7001:644 data/a data/again
rm -r data

# A link that is planted after it was announced.
tree 7001 a b
echo secret >victim && chown 7001:7001 victim
keep victim
meddled fdatasync:2+ 'ln -f victim data/a' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
rm data/a
kept
want any undo
rm -r data

# The rotated one: what was planted has one name only, and its owner is who must not lose it.
tree 7001 a b
echo secret >victim && chown 7007:7007 victim
plant='ln -f victim data/a && echo new >fresh && chown 7007:7007 fresh && mv fresh victim'
for when in mkdirat:1 fdatasync:2+ fchownat:1; do
	meddled $when "$plant" any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	owned 7007:7007:644 data/a victim
	want any undo
	owned 7007:7007:644 data/a victim
	rm data/a && echo a >data/a && chown 7001:7001 data/a
done

# Without protected_hardlinks nobody knows who made a name for a file of root's.
echo 0 >$T/one
tree 7001 a
echo plain >data/roots && chown 0:0 data/roots
want 1 fix -q
owned 0:0:644 data/roots
[ -z "$(getfacl -cps data/roots)" ] || die "root's file was changed"
