#!/usr/bin/env bash
# Without root a setgid directory of a foreign group would lose that bit for good: it is left, and the others are changed.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p home/data/{a,b,c}/in home/.local
chown -R 7001:7001 home
chgrp 7009 home/data home/data/{a,b,c} home/data/{a,b,c}/in
chmod 2775 home/data home/data/{a,b,c} home/data/{a,b,c}/in
mkdir home/data/zplain && touch home/data/zplain/f && chown -R 7001:7001 home/data/zplain
printf 'alice:x:7001:7001::/srv/work/home:/bin/sh\n' >passwd.new
cat /etc/passwd passwd.new >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
cd home
compose 'volumes: ["./data:/data"]'
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME=/srv/work/home "$@"; }
find data -printf '%P %m\n' | sort >"$T/before"
golden 1 as_alice "$BINDRIGHT" fix -q --yes
golden 0 getfacl -n data data/a data/zplain data/zplain/f
golden 0 as_alice "$BINDRIGHT" undo --yes
find data -printf '%P %m\n' | sort | diff "$T/before" - || die "not as before"

# She can give to groups of her own only: without one that the container has, it is said to be root's to do.
mkdir own && touch own/f && chown -R 7001:7001 own
compose 'volumes: ["./own:/data"]'
golden 1 as_alice "$BINDRIGHT" fix -q --yes --strategy group
golden 1 as_alice "$BINDRIGHT" plan --strategy group
compose 'group_add: ["7011"]' 'volumes: ["./own:/data"]'
golden 0 setpriv --reuid 7001 --regid 7001 --groups 7011 env HOME=/srv/work/home "$BINDRIGHT" fix -q --yes --strategy group
golden 0 stat -c '%n %u:%g %a' own own/f
done_golden
