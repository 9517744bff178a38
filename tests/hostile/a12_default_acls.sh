#!/usr/bin/env bash
# A12: nobody's later files are opened unasked; a default ACL that is there stays as it is.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f d/g
setfacl -d -m u:7300:rx,o::- data/d
before=$(getfacl -cd data/d)
keep data
want 0 fix -q --strategy acl
[ "$(getfacl -cd data/d)" = "$before" ] || die "a default ACL was changed"
[ -z "$(getfacl -cds data)" ] || die "a default ACL was added"
want 0 undo
kept
want 0 fix -q --strategy acl --future-files
getfacl -cd data | grep -q user:1001:rwx || die "no default ACL"
getfacl -cd data | grep -q '^other::.-' || die "others may write later files"
want 0 undo
kept
