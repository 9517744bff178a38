#!/usr/bin/env bash
# In a user's directory a container's data directory is its own, as its image has made it: root's fix serves what lies in it, also without sudo's word on who that user is.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/:/bin/sh\n' >etc/passwd && printf 'root:x:0:\nalice:x:7001:\n' >etc/group
mkdir -p proj/data && touch proj/data/theirs proj/data/roots && chmod 644 proj/data/*
chown 7001:7001 proj && chown 7099:7099 proj/data proj/data/theirs && chmod 700 proj/data
cd proj || exit 1
printf 'services:\n  db: {image: db, user: "7099:7099", volumes: ["./data:/data"]}\n' >compose.yaml
golden 0 bindright fix --sysroot .. -q --yes
[ "$(stat -c %u data/roots)" = 7099 ] || die "it was not served"
golden 0 bindright undo -q --yes
# Whoever may write it could have been let to move it there; and one of somebody else's is nobody's here.
chmod 720 data
golden 3 bindright fix --sysroot .. -q --yes
chmod 700 data
golden 3 bindright fix --sysroot .. -q --yes --user db=7098:7098
golden 0 bindright fix --sysroot .. -q --yes --user db=7098:7098 --allow-dangerous ./data
golden 0 bindright undo -q --yes

# What fix has made there lets alice write it, too, who may thus have moved it there herself: what serves nobody but its owner is done all the same.
rm -rf data
golden 0 bindright fix --sysroot .. -qq --yes
golden 0 getfacl -En --omit-header data
mkdir data/d && touch data/d/roots
golden 0 bindright fix --sysroot .. -qq --yes
[ "$(stat -c %u data/d/roots)" = 7099 ] || die "it was not served"
# Not what gives something to her, or is given to others; only root's word helps then.
touch data/more
golden 3 bindright fix --sysroot .. -qq --yes --keep alice
printf '  web: {image: web, user: "7001:7001", volumes: ["./data:/data"]}\n' >>compose.yaml
golden 3 bindright fix --sysroot .. -qq --yes
sed -i '$d' compose.yaml
golden 3 bindright reclaim --sysroot .. -qq --yes
golden 0 bindright reclaim --sysroot .. -qq --yes --allow-dangerous "$PWD/data"
[ "$(stat -c %u data/d/roots)" = 7001 ] || die "it did not go back"
golden 0 bindright undo -q --yes
# Nor where yet another may write it.
setfacl -m u:7050:rwx data
golden 3 bindright fix --sysroot .. -qq --yes
setfacl -x u:7050 data && setfacl -m g::rwx data
golden 3 bindright fix --sysroot .. -qq --yes
done_golden
