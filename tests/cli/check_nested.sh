#!/usr/bin/env bash
# A mount inside another mount whose mount point is not there yet.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p outer/there inner && chown -R 1001:1001 outer inner
compose 'volumes: ["./outer:/o", "./inner:/o/there", "./inner:/o/new/in"]'
golden 0 bindright check --sysroot "$T"
# What is made there is the directory's: its group, and its default ACL.
chmod g+s outer
setfacl -d -m u:1002:rwx outer
golden 0 bindright check --sysroot "$T"
done_golden
