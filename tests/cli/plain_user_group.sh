#!/usr/bin/env bash
# Without root a group is given only where it can be taken back, and no setgid bit is promised that would not stay.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p home/.local home/data/own home/data/foreign home/shared
touch home/data/{own,foreign}/f home/shared/f
chown -R 7001:7001 home
# One that she was given, and is not in: she could not give it back.
chgrp -R 7009 home/data/foreign
# One that the container is in and she is not.
chgrp -R 1001 home/shared
echo "alice:x:7001:7001::$T/work/home:/bin/sh" >passwd.new
cat /etc/passwd passwd.new >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
cd home
as_alice() { setpriv --reuid 7001 --regid 7001 --groups 7011 env HOME="$T/work/home" "$BINDRIGHT" "$@"; }
states() { find data shared -printf '%P %u:%g %m\n' | sort; }
states >"$T/before"

compose 'group_add: ["7011"]' 'volumes: ["./data:/data"]'
as_alice fix --strategy group --yes >shown 2>&1 && die "all was changed: $(cat shown)"
grep -q '^Changed 3 of 3\.$' shown || die "$(cat shown)"
grep -q '^  left alone    2 below .* can be changed by root only' shown || die "$(cat shown)"
[ "$(stat -c %g data/own/f data/foreign/f | xargs)" = '7011 7009' ] || die "$(cat shown)"
as_alice undo --yes >shown 2>&1 || die "it cannot be undone: $(cat shown)"
states | diff "$T/before" - || die "not as before"

compose 'volumes: ["./shared:/data"]'
as_alice fix --strategy group --yes >shown 2>&1 || die "$(cat shown)"
[ "$(stat -c %a shared shared/f | xargs)" = '775 664' ] || die "$(cat shown)"
as_alice fix --strategy group --yes >shown 2>&1 || die "$(cat shown)"
! grep -q '^Plan$' shown || die "not done at once: $(cat shown)"
as_alice undo --yes >shown 2>&1 || die "it cannot be undone: $(cat shown)"
states | diff "$T/before" - || die "not as before"
