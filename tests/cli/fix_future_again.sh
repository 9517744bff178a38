#!/usr/bin/env bash
# --future-files where a directory has a default ACL already: of a former fix for another service, or the administrator's. It gets what it lacks; what it says of others stays.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/:/bin/sh\n' >etc/passwd && printf 'root:x:0:\nalice:x:7001:\n' >etc/group
as() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "umask 022; $2"; }
defaults() { getfacl -Edn --omit-header data 2>/dev/null | paste -sd, | sed 's/,*$//'; }
service() { printf '  %s: {image: x, user: "%s:%s", volumes: ["./data:/data"]}\n' "$1" "$2" "$2"; }
tree() {
	rm -rf data && mkdir -p data/d && echo x >data/f && chown -R 7001:7001 data
	{ echo services: && service one 7101; } >compose.yaml
}

# A second service comes later.
tree
golden 0 bindright fix --sysroot . -qq --yes --future-files
service two 7102 >>compose.yaml
golden 1 bindright plan --sysroot . --future-files
golden 0 bindright fix --sysroot . -qq --yes --future-files
as 7101 'echo n >data/late && mkdir data/ld && echo i >data/ld/i' || die "the first service cannot write"
as 7102 'echo z >>data/late && rm data/ld/i' || die "the second service cannot use what the first made"
as 7001 'echo z >>data/late && rmdir data/ld' || die "alice cannot use what the first made"
# Nothing more is to be done.
defaults >one
golden 0 bindright plan --sysroot . -q --future-files
defaults | diff one - || die "the default ACL changed again"

# The administrator's own: its mask held 7009's w back, of 7010 it says what he is to have, of the group nothing more.
tree
setfacl -m u:7010:rwx data && setfacl -d --set u::rwx,u:7009:rwx,u:7010:r-x,g::---,m::r-x,o::--- data
golden 1 bindright plan --sysroot .
golden 0 bindright fix --sysroot . -qq --yes --future-files
[ "$(defaults)" = user::rwx,user:7001:rwx,user:7009:r-x,user:7010:r-x,user:7101:rwx,group::---,group:7001:r-x,mask::rwx,other::--- ] ||
	die "$(defaults)"
as 7001 'echo n >data/late' || die "alice cannot write"
as 7101 'echo z >>data/late' || die "what alice makes cannot be used"
as 7009 'cat data/late >/dev/null' || die "the mask lets less through"
as 7009 'echo z >>data/late' 2>/dev/null && die "the mask lets more through"
golden 0 bindright undo -q --yes
[ "$(defaults)" = user::rwx,user:7009:rwx,user:7010:r-x,group::---,mask::r-x,other::--- ] || die "not put back: $(defaults)"

# One that serves already is left as it is; one below that does not serve is told of.
tree
setfacl -d --set u::rwx,u:7001:rwx,u:7101:rwx,g::r-x,m::rwx,o::r-x data data/d
defaults >one
"$BINDRIGHT" plan --sysroot . >"$T/out" && die "it fits"
tr -s ' \n' ' ' <"$T/out" | grep -q 'will not be usable' && die "told in vain"
golden 0 bindright fix --sysroot . -qq --yes --future-files
defaults | diff one - || die "it was touched"
tree
setfacl -d --set u::rwx,u:7001:rwx,u:7101:rwx,g::r-x,m::rwx,o::r-x data
"$BINDRIGHT" plan --sysroot . >"$T/out" && die "it fits"
tr -s ' \n' ' ' <"$T/out" | grep -q 'will not be usable' || die "the directory below has no default ACL"

# Root's override needs no entry, and where nobody else is, there is no default ACL.
rm -rf data && mkdir data roots && chown 7001:7001 data && chmod 700 roots
printf 'services:\n  a: {image: x, user: "0:0", volumes: ["./data:/data", "./roots:/roots", "./made:/made"]}\n' >compose.yaml
golden 0 bindright plan --sysroot . --future-files
golden 0 bindright fix --sysroot . -qq --yes --future-files
[ "$(defaults)" = user::rwx,user:7001:rwx,group::r-x,mask::rwx,other::r-x ] || die "$(defaults)"
[ -z "$(getfacl -Edn --omit-header roots)" ] || die "root's alone needs none"
done_golden
