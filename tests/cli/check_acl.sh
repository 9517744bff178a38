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
# Writing takes w and x from one entry: it may read and enter all the same.
sed -i 's/1001:1001/1001:7005/' compose.yaml && echo '    group_add: ["7006"]' >>compose.yaml
setfacl -b data && chmod 700 data && setfacl -m g:7005:rw-,g:7006:--x data
golden 1 bindright check -q --sysroot "$T"
setfacl -m g:7006:-w- data
golden 1 bindright check -q --sysroot "$T"
done_golden
