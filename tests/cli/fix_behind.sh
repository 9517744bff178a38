#!/usr/bin/env bash
# What lies in a directory that stays closed is left as it is: it would be given for nothing.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/:/bin/sh\nweb:x:7002:7002::/:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nalice:x:7001:\nweb:x:7002:\n' >etc/group
mkdir -p p/data/closed/in p/data/open && touch p/data/closed/f p/data/closed/in/f p/data/open/f
printf 'services:\n  web: {image: web, user: "7002:7002", volumes: ["./data:/data"]}\n' >p/compose.yaml
chown -R 7001:7001 p && chmod 777 p/data p/data/open && chmod 750 p/data/closed && chmod 700 p/data/closed/in
chmod 600 p/data/closed/f p/data/closed/in/f p/data/open/f
cd p || exit 1
golden 1 bindright fix --sysroot .. --strategy group --yes
stat -c '%u:%g:%a' data/closed/f data/closed/in data/closed/in/f | sort -u | tr '\n' ' ' >"$T/got"
[ "$(cat "$T/got")" = '7001:7001:600 7001:7001:700 ' ] || die "$(cat "$T/got")"
[ "$(stat -c %g data/open/f)" = 7002 ] || die 'what it can reach is not given'
golden 0 bindright undo -q --yes
# Where it can be opened, so is what lies in it.
golden 0 bindright fix --sysroot .. -q --yes
golden 0 bindright undo -q --yes
done_golden
