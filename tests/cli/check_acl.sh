#!/usr/bin/env bash
# Named entries, masks and the group that an entry shadows are told as such.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data
chown 7001:7002 data
setfacl -m u:1001:rwx data
golden 0 bindright check --sysroot "$T"
setfacl -m m::r-x data
golden 1 bindright check --sysroot "$T"
setfacl -b data && chmod 777 data && setfacl -m u:1001:--- data
golden 1 bindright check --sysroot "$T"
setfacl -b data && setfacl -m g:1001:rwx,o::- data
golden 0 bindright check --sysroot "$T"
done_golden
