#!/usr/bin/env bash
# Who a container's UID is on the host.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p ../etc && echo 'alice:x:7001:7001::/home/alice:/bin/sh' >../etc/passwd
golden 0 bindright id 7001 --sysroot "$T" --engine docker
golden 0 bindright id 7002 --sysroot "$T"
golden 0 bindright id 7001 --sysroot "$T" --format json
golden 2 bindright id
golden 2 bindright id alice
golden 2 bindright id 1 2
golden 2 bindright id 4294967295
done_golden
