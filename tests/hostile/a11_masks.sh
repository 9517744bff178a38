#!/usr/bin/env bash
# A11: an entry for one is none for others: what a mask held back stays held back.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f d/g
chown 7001:7100 data/f data/d
chmod 750 data/d && chmod 640 data/f
# Students have an entry that the mask takes the w of.
setfacl -m g:7200:rwx,u:7300:rw,m::r-x data/d
setfacl -m g:7200:rwx,m::r data/f
keep data
may 7200 test -r data/f
may_not 7200 test -w data/f
may_not 7200 touch data/d/new
want 0 fix -q --strategy acl
may 1001 sh -c 'echo x >>data/f && touch data/d/new && rm data/d/new'
for who in 7200 7300 7100 7777; do
	may_not $who sh -c 'echo x >>data/f'
	may_not $who touch data/d/new
done
may 7200 test -r data/f
may_not 7777 test -r data/f
want 0 undo
kept
# There is no compare-and-swap: what is there after it was written is read back, and what somebody put in at that moment stays, and is told.
rm -r data
tree 7001 f
chown 1001:1001 data
call=setxattrat
! grep -q '^Seccomp:.*2' /proc/self/status || call=setxattr
meddled $call:1+ 'setfacl -m u:7300:r data/f' 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy acl --from 7001
says 'data/f: its ACL is another one now' '1 could not be changed'
getfacl -cp data/f | grep -qx user:7300:r-- || die "somebody's entry is gone"
want 1 undo
says 'data/f: its ACL is another one now'
