#!/usr/bin/env bash
# A20: accounts are made by programs that only root could have put there, and not at all by others.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Accounts and programs of our own, in this mount namespace.
rm -r "${T:?}/etc"
cp -a /etc $T/etc && mount --bind $T/etc /etc
mkdir -m 755 $T/sbin
for program in useradd groupadd userdel groupdel nologin; do
	cp "$(command -v $program || echo /usr/sbin/$program)" $T/sbin/
done
mount --bind $T/sbin /usr/sbin
tree 7001 f
# Whom no other test runs as at the same time, and nobody of this machine is.
me=47311
sed -i "/^[^:]*:[^:]*:$me:/d; /^app:/d" /etc/passwd /etc/group
known() { grep -q ":$me:" /etc/passwd /etc/group; }
compose 'volumes: ["./data:/data"]'
sed -i "s/1001:1001/$me:$me/" compose.yaml
refused() {
	"$BINDRIGHT" fix --yes --create-users >$T/out 2>&1 </dev/null && die "made an account: $1"
	says 'cannot make the group'
	! known || die "made an account: $1"
	"$BINDRIGHT" undo --yes >$T/out 2>&1 </dev/null || die "undo after $1"
}
chmod 775 $T/sbin && refused "where a group writes" && chmod 755 $T/sbin
chmod 757 $T/sbin && refused "where everybody writes" && chmod 755 $T/sbin
chown 7001 $T/sbin && refused "in somebody's directory" && chown 0 $T/sbin
chmod 775 $T/sbin/groupadd && refused "a program that a group writes" && chmod 755 $T/sbin/groupadd
chown 7001 $T/sbin/groupadd && refused "somebody's program" && chown 0 $T/sbin/groupadd
mv $T/sbin/groupadd $T/sbin/real && ln -s real $T/sbin/groupadd && refused "a link" && mv $T/sbin/real $T/sbin/groupadd
# The control.
want any fix -q --create-users
known || die "made none"
want 0 undo
! known || die "left one behind"
# One that was changed, or is in use, stays.
"$BINDRIGHT" fix -q --yes --create-users >$T/out 2>&1 </dev/null || true
name=$(sed -n "s/^\([^:]*\):[^:]*:$me:.*/\1/p" /etc/passwd)
sed -i "/^$name:/s|/usr/sbin/nologin|/bin/sh|" /etc/passwd
want 1 undo
says 'the account was changed'
known || die "removed what was changed"
sed -i "/^$name:/s|/bin/sh|/usr/sbin/nologin|" /etc/passwd
setpriv --reuid $me --regid $me --clear-groups sleep 3600 &
server=$!
at_work() { [ "$(stat -c %u /proc/$server)" = $me ]; }
eventually at_work
want 1 undo
says 'processes run as it'
known || die "removed who is at work"
kill $server && { wait $server || true; } 2>/dev/null
server=
want 0 undo
! known || die "left one behind"
umount -l /usr/sbin /etc
