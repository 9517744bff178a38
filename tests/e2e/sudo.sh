#!/usr/bin/env bash
# A user's script that calls the real sudo: the pre-run example run by somebody who is not root. Who asked is kept in mind, and keeps access.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1
command -v sudo >/dev/null || skip "needs sudo"

# Accounts and rules of this test's own; alice is nobody in particular.
cp -a /etc "$engine/etc"
mount --bind "$engine/etc" /etc
sed -i '/^[^:]*:[^:]*:\(7001\|1001\):/d; /^alice:/d' /etc/passwd /etc/group
mkdir -p "$engine/home/alice"
echo "alice:x:7001:7001::$engine/home/alice:/bin/sh" >>/etc/passwd
echo 'alice:x:7001:' >>/etc/group
echo 'alice:*:1:0:99999:7:::' >>/etc/shadow
rm -rf /etc/sudoers.d && mkdir -m 750 /etc/sudoers.d
sudoers() { printf '%s\n' "$@" 'alice ALL=(root) NOPASSWD: SETENV: ALL' >/etc/sudoers && chmod 440 /etc/sudoers; }
sudoers 'Defaults env_reset, !fqdn, !use_pty'
cp "$BINDRIGHT" "$engine/bindright" && chmod 755 "$engine/bindright"
program=$engine/bindright

cp -r "$BR_TOP/examples/pre-run" "$engine/home/alice/project"
sed -i "s|./state/store:|~/state/store:|" "$engine/home/alice/project/compose.yaml"
chown -R 7001:7001 "$engine/home/alice"
cd "$engine/home/alice/project"
# What stands for `docker compose`: alice may start it.
printf '#!/bin/sh\necho "compose $*"\n' >"$engine/compose" && chmod 755 "$engine/compose"
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env -i HOME="$engine/home/alice" PATH="$PATH" BINDRIGHT="$program" COMPOSE="$engine/compose" "$@"; }
expect 0 as_alice sudo -n id -u
says 0

expect 0 as_alice ./up.sh
says "BR201"
says "compose up -d"
# ~ is alice's home under sudo too, and alice can use what was made for 1001.
store=$engine/home/alice/state/store
[ "$(stat -c %u:%g "$store")" = 1001:1001 ] || die "the store belongs to $(stat -c %u:%g "$store")"
getfacl -cpn "$store" | grep -qx 'user:7001:rwx' || die "alice has no access: $(getfacl -cpn "$store")"
can 1001:1001 "$store" -- 'echo kept >/data/file' || die "the container cannot write"
expect 0 as_alice rm "$store/file"
expect 0 as_alice ./up.sh
says_not "Changed"

# Root's journal: alice cannot undo it alone, and is told how.
expect 0 as_alice "$program" undo --yes
says "1 fix by root"
expect 0 as_alice sudo -n "$program" history
says "alice  applied"
expect 0 as_alice sudo -n "$program" undo --yes
[ ! -e "$store" ] || die "undo left the store"

# A sudo that lets everything through makes no difference.
sudoers 'Defaults !env_reset, !secure_path, !fqdn, !use_pty, !always_set_home'
mkdir -p "$engine/evil/bin"
printf '#!/bin/sh\ntouch %s/taken\n' "$engine/evil" >"$engine/evil/bin/useradd"
cp "$engine/evil/bin/useradd" "$engine/evil/bin/groupadd"
chmod 755 "$engine/evil/bin"/* && chmod 777 "$engine/evil"
expect 0 as_alice env PATH="$engine/evil/bin:$PATH" TMPDIR="$engine/evil" HOME="$engine/evil" XDG_STATE_HOME="$engine/evil" LC_ALL=tr_TR.UTF-8 \
	sudo -n -E "$program" fix --yes --create-users
says "Changed"
getent passwd 1001 >/dev/null || die "it made no user"
[ -d "$store" ] || die "the store is elsewhere"
[ -z "$(find "$engine/evil" -newer "$engine/evil/bin/groupadd" -type f)" ] || die "something came to where the environment says"
expect 0 as_alice sudo -n "$program" undo --yes
if getent passwd 1001 >/dev/null; then die "undo left the user"; fi
