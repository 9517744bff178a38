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
# An ID twice in an ACL, which no setfacl writes but the kernel takes of whoever owns the file: the first entry of a user counts, and every one of a group.
undo -q >/dev/null 2>&1 || true
rm -rf data
tree 7001 twice into/f
python3 - <<'END'
import os
import struct

def entries(*all):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in all)

none = 0xFFFFFFFF
odd = entries((1, 7, none), (2, 4, 1001), (2, 7, 1001), (2, 6, 7002), (2, 0, 7002), (2, 0, 7003), (2, 6, 7003), (4, 0, none), (8, 4, 7100), (8, 2, 7100),
    (16, 6, none), (32, 0, none))
os.setxattr("data/twice", "system.posix_acl_access", odd)
os.setxattr("data/into", "system.posix_acl_default", odd)
END
keep data
for strategy in acl chown; do
	want any fix -q --strategy $strategy --future-files
	silent 'out of memory'
	may 1001:1001 sh -c 'echo more >>data/twice'
	may 7002:7002 sh -c '[ -w data/twice ] && [ -r data/twice ]'
	may_not 7003:7003 test -r data/twice
	may 7004:7100 test -r data/twice
	may_not 7004:7100 sh -c ': <>data/twice'
	want 0 undo -q
	kept
done
