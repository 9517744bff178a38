#!/usr/bin/env bash
# A15, A13, A14: a limit of the disk for a user binds, and a server that refuses is believed: it is said, nothing is tried again and again, and undo puts all back.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

# The kernel's own quotas need a file system that this kernel may not have; a server has the same rule, by the same right.
export STOPS_LIMITS=$T/limits
mkdir data
compose 'volumes: ["./data:/data"]'
serve() { server=$(python3 $here/stops.py data readdir:100000 0); }
all_old() { belong 0 data data/d0 data/d0/f0 data/d0/f4 data/d1/f1 data/d2/f2 data/d3/f3 data/d3; }
changes() { grep -cx setattr $STOPS_LOG || true; }
serve
# It bites: whoever has the right to exceed it does (some machines do not even give it to root).
echo '1001 0' >$T/limits
if setpriv --inh-caps=+sys_resource true 2>/dev/null; then
	chown 1001 data/d0/f0 && chown 0 data/d0/f0 || die "root is bound by it"
fi
if setpriv --bounding-set=-sys_resource chown 1001 data/d0/f0 2>/dev/null; then die "nobody is bound by it"; fi

# Of 25 files the new owner may have six.
echo '1001 6' >$T/limits
: >$STOPS_LOG
want 3 fix -j 1 --strategy chown
says 'Disk quota exceeded' 'bindright undo' "stopped in '$T/work/data'"
find data -user 1001 | wc -l | grep -qx 6 || die "he has $(find data -user 1001 | wc -l)"
[ "$(changes)" = 7 ] || die "tried $(changes) times"
want 0 undo
all_old
# The old owner has no room for what comes back: that is said, nothing is lost, and when there is room it comes.
echo '1001 100' >$T/limits
want 0 fix -q --strategy chown
echo '0 10' >$T/limits
want 3 undo
says 'Disk quota exceeded' 'could not be put back'
find data -user 0 | wc -l | grep -qx 10 || die "he has $(find data -user 0 | wc -l)"
want 3 undo
says 'Disk quota exceeded'
rm $T/limits
want 0 undo
all_old
gone

# Who is root here is nobody to the server: the first refusal is the last.
export STOPS_REFUSES=1
serve
: >$STOPS_LOG
want 3 fix -j 1 --strategy chown
says 'Operation not permitted' "stopped in '$T/work/data'"
[ "$(changes)" = 1 ] || die "tried $(changes) times"
want any undo
all_old
gone
unset STOPS_REFUSES

# Where NFSv4 ACLs decide nobody but their server knows what a change would do: there is none.
export STOPS_NFS4_ACL=1
serve
: >$STOPS_LOG
want 1 bindright check --sysroot $T
says 'NFSv4 ACL'
for strategy in auto acl chown group; do
	want 1 fix --strategy $strategy
	says 'NFSv4 ACL'
done
[ "$(changes)" = 0 ] || die "something was changed"
all_old
gone
unset STOPS_NFS4_ACL
# That it keeps no ACLs it says itself, whatever its type may be: nobody begins with one.
serve
: >$STOPS_LOG
want 1 fix --strategy acl
says 'it would need an ACL, which the file system (fuse) does not keep'
[ "$(changes)" = 0 ] || die "something was tried"
all_old
gone
