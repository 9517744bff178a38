#!/usr/bin/env bash
# Each strategy on a real engine: afterwards the container can do what it needs, a stranger nothing more than before, the owner
# no less; and undo puts everything back.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

cat >compose.yaml <<'YAML'
services:
  app:
    image: busybox
    user: "1001:1001"
    volumes: ["./data:/data"]
YAML
uses='echo x >>/data/f && cat /data/d/g >/dev/null && touch /data/d/new && mv /data/d/new /data/d/newer && rm /data/d/newer'

# tree OWNER MODE: directories and files of OWNER (rwX of directories like that of files).
tree() {
	rm -rf data
	mkdir -p data/d
	echo f >data/f && echo g >data/d/g
	chown -R "$1" data && chmod -R "$2" data
}
# try STRATEGY OWNER MODE AS SAYS: fix by it; then the container can, uid 1003 cannot more than before, who owned it (AS) can.
try() {
	local strategy=$1 owner=$2 mode=$3 stranger=no
	tree "$owner" "$mode"
	can 1001:1001 "$work/data" -- "$uses" && die "$strategy: the container can before"
	! can 1003:1003 "$work/data" -- 'cat /data/f' || stranger=yes
	snapshot data >before
	expect 1 "$BINDRIGHT" check
	expect 0 "$BINDRIGHT" fix --strategy "$strategy" --yes
	says "$5"
	can 1001:1001 "$work/data" -- "$uses" || die "$strategy: the container cannot"
	can 1003:1003 "$work/data" -- 'echo x >>/data/f' && die "$strategy: a stranger can write"
	if [ $stranger = no ]; then
		can 1003:1003 "$work/data" -- 'cat /data/f' && die "$strategy: a stranger can read"
	fi
	can "$4" "$work/data" -- "$uses" || die "$strategy: who owned it cannot use it"
	expect 0 "$BINDRIGHT" check
	expect 0 "$BINDRIGHT" undo --yes
	snapshot data | diff before - || die "$strategy: undo did not put everything back"
}
try auto 0:0 u=rwX,go=rX 0:0 'by chown'
try auto 1000:1000 u=rwX,g=rX,o= 1000:1000 'by acl'
try acl 0:0 u=rwX,go=rX 0:0 'by acl'
try acl 1000:1000 u=rwX,go=rX 1000:1000 'by acl'
try chown 0:0 u=rwX,go=rX 0:0 'by chown'
try chown 1000:1000 u=rwX,g=rX,o= 1000:1000 'by chown'
try group 1000:1001 u=rwX,g=rX,o= 1000:1001 'by group'
try group 1000:1000 u=rwX,go=rX 1000:1000 'by group'

# What the container makes in a directory that is shared by group, the others of the group can use.
tree 1000:1001 u=rwX,g=rX,o=
expect 0 "$BINDRIGHT" fix --strategy group --yes
in_container 1001:1001 "$work/data" -- 'umask 002; echo n >/data/d/n'
[ "$(stat -c %g data/d/n)" = 1001 ] || die "the group is not handed down"
# Default ACLs: what others make later can be used by the container, and the other way round.
tree 1000:1000 u=rwX,g=rX,o=
expect 0 "$BINDRIGHT" fix --strategy acl --future-files --yes
in_container 1000:1000 "$work/data" -- 'umask 077; echo later >/data/d/later; mkdir /data/d/more'
can 1001:1001 "$work/data" -- 'echo x >>/data/d/later && touch /data/d/more/x && rm /data/d/more/x' || die "later files are not served"
in_container 1001:1001 "$work/data" -- 'umask 077; echo back >/data/d/back'
can 1000:1000 "$work/data" -- 'echo x >>/data/d/back' || die "the owner cannot use what the container made"
can 1003:1003 "$work/data" -- 'cat /data/d/later' && die "a stranger can read later files"

# A saved plan is applied by another job, and only as it was.
tree 1000:1000 u=rwX,go=rX
expect 1 "$BINDRIGHT" plan --format json -o plan.json
expect 0 "$BINDRIGHT" fix --plan plan.json --yes
can 1001:1001 "$work/data" -- "$uses" || die "the saved plan does not serve"
expect 0 "$BINDRIGHT" undo --yes
in_container 1000:1000 "$work/data" -- 'echo more >/data/more'
expect 2 "$BINDRIGHT" fix --plan plan.json --yes
says 'below '
