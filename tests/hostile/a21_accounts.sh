#!/usr/bin/env bash
# A21: an account that fix made goes with undo only while nobody has put it, or the group that goes with it, to use.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# Accounts of our own, in this mount namespace; userdel takes a user's own group with it, as it does where nobody said otherwise.
rm -r "${T:?}/etc"
cp -a /etc $T/etc && mount --bind $T/etc /etc
sed -i '/^USERGROUPS_ENAB/d' /etc/login.defs && echo 'USERGROUPS_ENAB yes' >>/etc/login.defs
: >/etc/subuid
: >/etc/subgid
me=47312
sed -i "/^[^:]*:[^:]*:$me:/d; /^app:/d; /^shared:/d" /etc/passwd /etc/group
tree 7001 f
sed -i "s/1001:1001/$me:$me/" compose.yaml
cp -a /etc/passwd $T/passwd.first && cp -a /etc/group $T/group.first
make_it() {
	want any fix -q --create-users
	grep -q "^app:x:$me:" /etc/passwd || die "made no user"
}
# kept_for WORDS: user and group stay, and it says why.
kept_for() {
	want 1 undo
	says "$@"
	grep -q "^app:x:$me:" /etc/passwd || die "removed the user all the same"
	grep -q ":$me:" /etc/group || die "removed the group all the same"
}
gone() {
	want 0 undo
	cmp /etc/passwd $T/passwd.first && cmp /etc/group $T/group.first || die "left something behind"
}
make_it
gone
# A file of the group, made by somebody who was let in by it.
make_it
touch data/late && chown 7001:$me data/late
kept_for 'app: files still belong to it'
rm data/late
gone
# The same in what is mounted there, and was entered.
mkdir data/in && chown 7001:7001 data/in
mount -t tmpfs -o uid=7001,gid=7001 tmpfs data/in
want any fix -q --create-users --cross-file-systems
touch data/in/late && chown $me:7001 data/in/late
kept_for 'app: files still belong to it'
rm data/in/late
gone
umount data/in
# Where nobody can look there may be some.
truncate -s 64M "$memory/disk" && mkfs.ext4 -q -F "$memory/disk"
mount -o loop "$memory/disk" data/in && mkdir data/in/d && touch data/in/d/f && chown -R 7001:7001 data/in
cp compose.yaml plain.yaml
sed -i 's|"\./data:/data"|"./data/in/d:/data"|' compose.yaml
make_it
umount data/in
kept_for 'app: files may still belong to it where nobody can look now' 'data/in/d: it is gone'
mount -o loop "$memory/disk" data/in
gone
umount data/in
mv plain.yaml compose.yaml
# A process in the group.
make_it
setpriv --reuid 7001 --regid 7001 --groups $me sleep 3600 &
server=$!
at_work() { grep -q "^Groups:.*\b$me\b" /proc/$server/status; }
eventually at_work
kept_for 'app: processes run as its group'
kill $server && { wait $server || true; } 2>/dev/null
server=
gone
# The user is in another group now, whoever's it is.
make_it
usermod -a -G daemon app
kept_for 'app: it is a member of groups now'
gpasswd -d app daemon >$T/out
gone
# Somebody is in its group: that one stays, as it is.
make_it
usermod -a -G app daemon
want 1 undo
says 'app: the account was changed'
! grep -q "^app:" /etc/passwd || die "left the user behind"
grep -q "^app:x:$me:daemon" /etc/group || die "removed the group all the same"
groupdel app
rm -r $T/state/runs/*
# A group that was there before has the name now.
groupadd -g $me shared
cp -a /etc/group $T/group.first
make_it
groupmod -n app shared
kept_for 'was there before, or was changed'
groupmod -n shared app
gone
umount -l /etc
