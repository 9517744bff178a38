#!/usr/bin/env bash
# A directory of a person: an entry for the container, nobody else's rights change, undo brings everything back.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/sub && echo x >data/f && echo y >data/sub/g && chown -R 7001:7001 data && chmod 640 data/f
setfacl -m g:7002:rwx,m::r-x data/sub
getfacl -R -n data >before
golden 1 bindright plan --sysroot "$T"
golden 1 bindright fix --sysroot "$T"
getfacl -R -n data | cmp - before || die "fix without --yes changed something"
golden 0 bindright fix --sysroot "$T" --yes
golden 0 getfacl -n data data/f data/sub data/sub/g
golden 0 bindright fix --sysroot "$T" --yes
golden 0 bindright undo --dry-run
golden 0 bindright undo --yes
getfacl -R -n data | cmp - before || die "undo did not bring everything back"
done_golden
