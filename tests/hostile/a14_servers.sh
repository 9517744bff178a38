#!/usr/bin/env bash
# A14: where a server decides who may what (NFS with root_squash), root cannot tell, and modes tell nothing: it is asked as the container's user.
# time limit: 400
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

mkdir data
serve() { server=$(python3 $here/judges.py data $T/rules "$@"); }
rules() { printf '%s\n' "$@" >$T/rules; }
cat >compose.yaml <<'END'
services:
  app:
    image: example
    user: "1001:1001"
    volumes: ["./data:/data"]
  other:
    image: example
    user: "1002:1002"
    volumes: ["./data:/data"]
END
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
check() { bindright check --sysroot $T "$@"; }
rules 'may 0 * rwx' 'may 1001 * rwx' 'show . 0700 7001 7001'
serve

# The kernel's word about it, for this to prove anything.
as 1001 ls data/d0 | grep -q f0 || die "1001 is kept out"
if as 1002 ls data 2>/dev/null; then die "1002 gets in"; fi

# It allows what the modes refuse: nothing is wrong, nothing is changed, and explain says the same.
want 0 check app
says 'asked as 1001:1001 it allows what is needed of 13 entries, although the mode refuses it' 'fits'
want 0 bindright plan --sysroot $T app
silent 'would'
silent 'instead'
want 0 fix app
want 0 bindright explain app:/data/d0/f0 --need rw
says '[server]' "it has rwx of '$T/work/data/d0/f0'"
want 0 bindright explain data --as 1001:1001 --need rwx
# It refuses what they allow.
rules 'may 0 * rwx' 'may 1001 * rwx' 'may 1001 d1 r-x' 'show . 0777 7001 7001' 'show d1 0777 7001 7001'
want 1 check other
says "uid 1002 cannot enter '$T/work/data'" 'asked as 1002:1002, its server refuses it, although the mode allows it' \
	'asked as 1002:1002 it refuses what is needed of 1 of 1 entry, although the mode allows it' 'BR207'
want 1 bindright explain other:/data --need r
says '[server]' 'see to the rules of its server'
# What modes refuse, beside that, is tried as ever; this server changes nothing for anybody.
want 3 fix other
says 'BR207' 'stopped in'
want any undo
# In the tree, too.
want 1 check app
says 'uid 1001 cannot use 1 directory' "of 'd1' asked as 1001:1001, its server refuses it, although the mode allows it" \
	'it refuses what is needed of 1 of 13 entries, although the mode allows it'
want 1 bindright explain app:/data/d1 --need w
want 0 bindright explain app:/data/d1 --need rx
# What it says is one thing, what it does another.
rules 'may 0 * rwx' 'may 1001 * rwx' 'listless 1001'
want 1 check app
says "uid 1001 cannot read '$T/work/data'"
rules 'may 0 * rwx' 'may 1001 * rwx' 'may 1001 d1 r-x' 'show . 0777 7001 7001' 'show d1 0777 7001 7001'
# Whom a read-only mount is for, the server is not asked whether he may write.
sed -i 's,/data"],/data:ro"],' compose.yaml
want 0 check app
want 1 bindright explain app:/data/d1 --need w
sed -i 's,/data:ro"],/data"],' compose.yaml

# On a read-only mount it is not the server that refuses.
rules 'may 0 * rwx' 'may 1001 * rwx' 'show . 0700 7001 7001'
mount -o remount,bind,ro data
want 1 check app
says 'BR205' 'it allows what is needed of 13 entries; not about all: its mount is read-only'
silent 'its server refuses it'
mount -o remount,bind,rw data
want 0 check app

# root_squash: root sees nothing there, and says what it may be.
rules 'may 1001 * rwx' 'show . 0700 7001 7001'
want 1 check app
says 'root_squash possible: its server refuses root what it allows to 1001:1001' 'BR209' 'is not known here'
silent 'cannot enter'
silent 'sudo'
want 1 check other
says 'root_squash possible: to its server root may be nobody' "uid 1002 cannot enter '$T/work/data'"
want 1 bindright check --sysroot $T --format json app
jq -e '.complete == false and .containers[0].mounts[0].have == "rwx"' $T/out >/dev/null || die "have is not what the server says"

# Root in a container is judged as any other, whatever its capabilities: they are nothing to the server.
rules 'may 0 . r-x' 'may 0 * r-x' 'show . 0777 7001 7001'
sed 's/1001:1001/0:0/' compose.yaml >root.yaml
want 1 check -f root.yaml app
says "uid 0 cannot write '$T/work/data'" 'asked as 0:0, its server refuses it, although the mode allows it'
# Groups are no matter of this server; that they are asked with is in test_server.

# Who may not become somebody else asks for himself alone.
rules 'may 0 * rwx' 'may 1001 * rwx' 'may 1002 * r-x' 'show . 0777 7001 7001'
chmod 755 $T/work
want 1 as 1002 $T/bindright check --sysroot $T other
says 'asked as 1002:1002 it refuses what is needed of'
want any as 1002 $T/bindright check --sysroot $T app
says 'it was not asked as 1001:1001: only root can ask as somebody else'
want any as 1002 $T/bindright explain app:/data
says 'has the last word, and could not be asked'
want any as 1002 unshare --user --map-root-user $T/bindright check --sysroot $T app
says 'it was not asked as 1001:1001: this process may not become that user'

# Default permissions: the kernel decides, and nobody else is asked.
gone
serve default_permissions
rules 'may 0 * rwx' 'show . 0755 1001 1001'
want 1 check app
silent 'asked as'
gone

# It does not answer this question: it is said, in time. Who asked it stays until there is no server to wait for (fs/fuse/dev.c, request_wait_answer()).
for word in access opendir; do
	rules 'may 0 * rwx' 'may 1001 * rwx' 'may 1002 * rwx' 'show . 0700 7001 7001' "silent $word"
	serve
	soon 1 check --sysroot $T
	says 'does not answer' 'BR209'
	[ $word = opendir ] || soon any explain --as 1001:1001 data
	gone
	eventually none_left
done
serve
rules 'may 0 * rwx' 'may 1001 * rwx'
want 0 check app

# Whatever it says: the verdict is what becomes of a process of this user.
want 0 python3 $here/judged.py $T/rules "$T/bindright" data "${JUDGED_ROUNDS:-25}"
gone
