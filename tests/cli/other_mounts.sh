#!/usr/bin/env bash
# What a service that was not asked for mounts itself is no matter of who mounts all around it: left alone, counted, and listed with the option that takes it in.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/:/bin/sh\nweb:x:7002:7002::/:/bin/sh\nadm:x:7003:7003::/:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nalice:x:7001:\nweb:x:7002:\nadm:x:7003:\n' >etc/group
mkdir -p p/app p/db/sub p/secrets && touch p/app/a p/db/data p/db/sub/part p/secrets/db.txt
chmod 640 p/app/a p/db/data p/db/sub/part p/secrets/db.txt
cat >p/compose.yaml <<'YAML'
services:
  web: {image: web, user: "7002:7002", volumes: [".:/app"]}
  db:
    image: db
    user: "7099:7099"
    volumes: ["./db:/var/lib/db"]
    secrets: [word]
  adm: {image: adm, user: "7003:7003", profiles: [admin], volumes: ["./db/sub:/sub"]}
secrets: {word: {file: secrets/db.txt}}
YAML
chown -R 7001:7001 p && cd p || exit 1
state() { (cd "$T/work/p" && find . -printf '%p\n' | sort | getfacl -n -- - | grep -E '^# file|^user:7|^group::|^mask'); }
state >"$T/before"
golden 1 bindright plan --sysroot .. --keep alice web
golden 1 bindright plan --sysroot .. --keep alice --format json web
golden 1 bindright fix --sysroot .. --keep alice --yes web
for f in db db/data db/sub db/sub/part secrets/db.txt; do
	[ "$(getfacl -cnp "$f" | grep -c 7002)" = 0 ] || die "$f was changed"
done
# What somebody who was asked for mounts himself is his matter, and then everybody's.
golden 1 bindright fix --sysroot .. --keep alice --yes web adm
[ "$(getfacl -cnp db/sub/part | grep -c '^user:700[23]:rw-$')" = 2 ] || die "they do not share it"
[ "$(getfacl -cnp db/data | grep -c 700)" = 0 ] || die "db/data was changed"
golden 0 bindright undo -q --yes
golden 0 bindright undo -q --yes
state | cmp - "$T/before" || die "undo"
golden 0 bindright fix --sysroot .. --keep alice -q --yes --other-mounts web
golden 0 bindright undo -q --yes
# Those of all services are solved together; one whose profile is off is not among them.
golden 1 bindright plan --sysroot .. --keep alice -q
golden 0 bindright fix --sysroot .. --keep alice -q --yes --profile admin
golden 0 bindright undo -q --yes
# What is left where nothing is wanting is not worth a word.
chmod -R a+rwX . && golden 0 bindright plan --sysroot .. --keep alice web
# reclaim leaves it, too.
chown -R 7002:7002 app db
golden 1 bindright reclaim --sysroot .. --keep alice --dry-run web
done_golden
