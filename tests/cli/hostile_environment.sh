#!/usr/bin/env bash
# Root's bindright under sudo: nothing that the caller's environment says changes what it does, and nothing of it reaches the
# programs that make accounts. What counts from it is what the compose file asks for by name.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

cp -a /etc "$T/etc"
mount --bind "$T/etc" /etc
: >/etc/subuid
: >/etc/subgid
sed -i '/^[^:]*:[^:]*:\(5501\|7001\):/d; /^alice:/d; /^trainer:/d' /etc/passwd /etc/group
echo "alice:x:7001:7001::$T/work/alice:/bin/sh" >>/etc/passwd
echo 'alice:x:7001:' >>/etc/group
mkdir -p alice project/data evil/bin evil/.local/state "$T/real"
chown -R 7001:7001 alice project
chmod 777 evil

# The real programs, which tell what they were started with. Root's, where root alone can write, as bindright demands.
for tool in useradd groupadd userdel groupdel; do
	cp "/usr/sbin/$tool" "$T/real/$tool"
	# shellcheck disable=SC2016 # for the script that is written
	printf '#!/bin/sh\n{ echo "= $0"; tr "\\0" "\\n" </proc/$$/environ; } >>%s/started\nexec %s/real/%s "$@"\n' "$T" "$T" "$tool" >"$T/real/$tool.sh"
	chmod 755 "$T/real/$tool.sh"
	mount --bind "$T/real/$tool.sh" "/usr/sbin/$tool"
done
# Those that the caller would like to see started.
for tool in useradd groupadd userdel groupdel setfacl chown sh docker getent; do
	printf '#!/bin/sh\ntouch %s/taken\nexit 0\n' "$T" >"evil/bin/$tool"
	chmod 755 "evil/bin/$tool"
done
cat >project/compose.yaml <<'END'
services:
  trainer:
    image: example
    user: "5501:5501"
    volumes: ["./data:/data", "~/cache:/cache", "${HOME}/more:/more"]
END
cd project

# as_sudo VARIABLE=VALUE... COMMAND...: as sudo starts it, with these beside.
as_sudo() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DOCKER_HOST="unix://$T/no.sock" SUDO_UID=7001 SUDO_GID=7001 SUDO_USER=alice "$@"; }
hostile=(
	PATH="$T/work/evil/bin" HOME="$T/work/evil" TMPDIR="$T/work/evil" TMP="$T/work/evil" PWD=/ OLDPWD=/ IFS=/ CDPATH=/
	XDG_STATE_HOME="$T/work/evil/.local/state" XDG_CONFIG_HOME="$T/work/evil" XDG_DATA_HOME="$T/work/evil" XDG_RUNTIME_DIR="$T/work/evil"
	LANG=tr_TR.UTF-8 LC_ALL=tr_TR LC_NUMERIC=de_DE LANGUAGE="$T/work/evil" NLSPATH="$T/work/evil/%N" LOCPATH="$T/work/evil" I18NPATH="$T/work/evil"
	GCONV_PATH="$T/work/evil" CHARSET=X TZ=":$T/work/evil/tz" TZDIR="$T/work/evil" TERM=evil COLUMNS=1 LINES=1 EDITOR=evil PAGER=evil
	BASH_ENV="$T/work/evil/bin/sh" ENV="$T/work/evil/bin/sh" SHELL="$T/work/evil/bin/sh" SHELLOPTS=xtrace 'BASH_FUNC_useradd%%=() { touch /srv/taken; }'
	LD_LIBRARY_PATH="$T/work/evil" LD_DEBUG_OUTPUT="$T/work/evil/ld" MALLOC_CHECK_=3 MALLOC_TRACE="$T/work/evil/trace" GLIBC_TUNABLES=glibc.malloc.check=3
	LIBMOUNT_FSTAB="$T/work/evil/fstab" LIBMOUNT_MTAB="$T/work/evil/mtab" LIBMOUNT_DEBUG=0xffff LIBBLKID_DEBUG=all BLKID_FILE="$T/work/evil/blkid"
	CURL_HOME="$T/work/evil" http_proxy=http://127.0.0.1:1 ALL_PROXY=socks5://127.0.0.1:1 SSL_CERT_FILE="$T/work/evil/pem" OPENSSL_CONF="$T/work/evil/ssl"
	HOSTALIASES="$T/work/evil/hosts" RES_OPTIONS=debug SUDO_COMMAND="$T/work/evil" USER=evil LOGNAME=evil USERNAME=evil MAIL="$T/work/evil"
	DOCKER_CONFIG="$T/work/evil" NOTIFY_SOCKET="$T/work/evil/socket" PYTHONPATH="$T/work/evil" PERL5LIB="$T/work/evil" "=nameless" noequals=
)

# same COMMAND...: says and ends the same with both environments. What was started is kept apart.
same() {
	local one=0 two=0
	as_sudo "$BINDRIGHT" "$@" >"$T/one.out" 2>&1 </dev/null || one=$?
	as_sudo "${hostile[@]}" "$BINDRIGHT" "$@" >"$T/two.out" 2>&1 </dev/null || two=$?
	for out in one two; do tidy <"$T/$out.out" >"$T/$out.tidy"; done
	[ "$one" = "$two" ] || die "$*: exit status $one, and $two"
	diff -u "$T/one.tidy" "$T/two.tidy" >&2 || die "$*: not the same in another environment"
}
same inspect
grep -q "$T/work/alice/cache\|\$T/alice/cache" "$T/two.tidy" || die "~ is not alice's home"
grep -q '/alice/more' "$T/two.tidy" || die "\${HOME} is not that of alice"
same check
same check --format json
same plan --create-users
same id 5501
same history
same explain ./data --as 5501:5501
same check -f none.yaml

# Fixed in the hostile environment, put back in it: accounts were made by the real programs with two variables of our own.
rm -f "$T/started"
as_sudo "${hostile[@]}" "$BINDRIGHT" fix --yes --create-users >"$T/out" 2>&1 || die "fix: $(cat "$T/out")"
getent passwd 5501 >/dev/null || die "it made no user"
as_sudo "${hostile[@]}" "$BINDRIGHT" history | grep -q 'Z  alice  applied$' || die "history does not name alice"
[ -d "$T/state/runs" ] || [ -n "$(ls "$T/state")" ] || die "the journal is not root's"
as_sudo "${hostile[@]}" "$BINDRIGHT" undo --yes >"$T/out" 2>&1 || die "undo: $(cat "$T/out")"
if getent passwd 5501 >/dev/null; then die "undo left the user"; fi
sort -u "$T/started" | grep -vxE '= /usr/sbin/(user|group)(add|del)|PATH=/usr/sbin:/usr/bin:/sbin:/bin|LC_ALL=C' >"$T/more" &&
	die "its helpers were started with: $(cat "$T/more")"
[ "$(grep -c '^= ' "$T/started")" -ge 3 ] || die "the real programs were not seen: $(cat "$T/started")"
[ ! -e "$T/taken" ] || die "a program of the caller was started"
[ -z "$(find "$T/work/evil" -newer "$T/started" -type f)" ] || die "something was written where the caller wanted it"

# SUDO_UID says who asked, and never gives a right: alice, who is not root, is alice whatever it says.
got=0
setpriv --reuid 7001 --regid 7001 --clear-groups env -i SUDO_UID=0 SUDO_USER=root HOME=/ PATH="$T/work/evil/bin" "$BINDRIGHT" history >"$T/out" 2>&1 || got=$?
[ "$got" = 0 ] || die "history as alice: $(cat "$T/out")"
# What is no number is nobody.
for bad in -1 4294967295 99999999999 0x0 '' alice '7001 '; do
	env -i PATH=/usr/bin:/bin DOCKER_HOST="unix://$T/no.sock" SUDO_UID="$bad" "$BINDRIGHT" inspect >"$T/out" 2>&1 || die "SUDO_UID='$bad': $(cat "$T/out")"
	! grep -q '/alice/' "$T/out" || die "SUDO_UID='$bad' is taken for alice"
done

# LD_PRELOAD and its like reach nobody that we start (a sanitizer wants to come first itself).
if [ -z "${BR_SAN:-}" ]; then
	printf 'int setenv(const char *, const char *, int);\n__attribute__((constructor)) static void hello(void) { }\n' >"$T/evil.c"
	gcc -shared -fPIC -o "$T/evil.so" "$T/evil.c"
	rm -f "$T/started"
	as_sudo LD_PRELOAD="$T/evil.so" LD_AUDIT= "$BINDRIGHT" fix --yes --create-users >"$T/out" 2>&1 || die "fix: $(cat "$T/out")"
	! grep -q LD_ "$T/started" || die "LD_PRELOAD reached a helper"
	as_sudo LD_PRELOAD="$T/evil.so" "$BINDRIGHT" undo --yes >"$T/out" 2>&1 || die "undo: $(cat "$T/out")"
fi

# A program that says who runs it by its file's owner is refused: nothing of a setuid start can be trusted.
cp "$BINDRIGHT" "$T/setuid" && chown root "$T/setuid" && chmod 4755 "$T/setuid"
got=0
setpriv --reuid 7001 --regid 7001 --clear-groups "$T/setuid" check >"$T/out" 2>&1 || got=$?
[ "$got" = 3 ] || die "setuid: exit status $got: $(cat "$T/out")"
