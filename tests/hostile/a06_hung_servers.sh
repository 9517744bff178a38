#!/usr/bin/env bash
# A6: a server that does not answer any more hangs nothing, in the tree or as the source.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

tree 7001 d/f e
stall data/d
for command in check plan 'fix --yes'; do
	soon any $command --sysroot $T
	says '1 mount point inside'
done
getfacl -cp data/e | grep -q '1001' || belong 1001 data/e
soon 0 undo --yes
for command in check 'fix --yes'; do
	soon 3 $command --sysroot $T --cross-file-systems
	says "mounted at 'd' in it does not answer"
done
gone data/d
# The source itself, and one below it.
mkdir hung
stall hung
compose 'volumes: ["./hung:/data"]'
for command in check 'fix --yes'; do
	soon 1 $command --sysroot $T
	says 'could not be examined'
done
gone hung
# One that stalls between a fix and its undo.
tree 7001 f
want 0 fix -q
stall data
soon 3 undo --yes
says 'could not be put back'
gone data
want 0 undo
owned 7001:7001:644 data/f
# One that stalls where a fix was cut short: whoever still waits for it keeps nobody away, neither --resume nor other places.
rm -rf $T/state/runs/*
mkdir elsewhere && chown 7001:7001 elsewhere
printf 'services:\n  app: {image: i, user: "1001:1001", volumes: ["./elsewhere:/data"]}\n' >elsewhere.yaml
chown 7001:7001 hung && compose 'volumes: ["./data:/data", "./hung:/hung"]'
want 137 "$BR_BUILD/tests/hostile/meddle" fchownat:1+ "$slain" "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
[ -n "$(ls $T/state/runs)" ] || die "nothing was begun"
stall hung
soon 3 fix --yes --sysroot $T --strategy chown
says 'was cut short' '--resume'
soon 3 fix --yes --resume --sysroot $T --strategy chown
says 'cannot go on' "/hung': it does not answer"
soon 0 fix --yes --sysroot $T -f elsewhere.yaml
says 'was cut short in'
gone hung
want 0 fix --resume --strategy chown
belong 1001 data data/f hung
