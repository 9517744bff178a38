#!/usr/bin/env bash
# What the container writes, and whether the host user can use it: foreseen, then tried by a real container and a real process of the host user.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

printf 'alice:x:7001:7001::/nowhere:/bin/sh\n' | cat /etc/passwd - >"$engine/passwd"
printf 'team:x:7500:alice\n' | cat /etc/group - >"$engine/group"
mount --bind "$engine/passwd" /etc/passwd && mount --bind "$engine/group" /etc/group
chown 7001:7001 .
alice() { setpriv --reuid 7001 --regid 7001 --groups 7500 "$@" 2>/dev/null; }

# verbs: what alice cannot do with what the container has written.
verbs() {
	local said=
	alice cat data/f >/dev/null && alice ls data/d >/dev/null || said+=read,
	alice sh -c 'echo >>data/f' || said+=change,
	alice rm -rf data/f && alice rm -rf data/d && [ ! -e data/f ] && [ ! -e data/d ] || said+=delete,
	rm -rf data/f data/d
	echo "${said%,}"
}
n=0
# agrees USER VERBS: what check foresees is what happens, and it is VERBS.
agrees() {
	local foreseen real options=("${@:3}")
	printf 'services:\n  app:\n    image: busybox\n    user: "%s"\n    volumes: ["./data:/data"]\n' "$1" >compose.yaml
	[ ${#options[@]} = 0 ] || printf '    group_add: [7500]\n' >>compose.yaml
	"$BINDRIGHT" check >"$out" 2>"$err" || true
	foreseen=$(tr -s ' \n' '  ' <"$out" | sed -nE 's/.*BR106 alice will not be able to ([a-z, ]*) what uid.*/\1/p' | sed -E 's/, | or /,/g')
	in_container "$1" "$work/data" "${options[@]}" -- 'echo x >/data/f && mkdir /data/d && echo x >/data/d/f' >/dev/null ||
		die "$1 cannot write"
	real=$(verbs)
	if [ "$foreseen" != "$2" ] || [ "$real" != "$2" ]; then
		cat "$out" >&2
		die "user $1: foreseen '$foreseen', real '$real', not '$2'"
	fi
	n=$((n + 1))
}
fresh() {
	rm -rf data && mkdir data && chown "$1" data && chmod "$2" data
}

fresh 7001:7001 755
agrees 0:0 change,delete
setfacl -m u:1001:rwx data
agrees 1001:1001 change,delete
agrees 7001:7001 ''
fresh 1001:1001 755 && setfacl -m u:7001:rwx data
agrees 1001:1001 change,delete
chmod 1775 data
agrees 1001:1001 change,delete
# A group of both: the engine's umask is in the way, a default ACL is not.
fresh 7001:7500 2775
agrees 1001:1001 change,delete --group-add 7500
setfacl -d -m u::rwx,g::rwx,o::- data
agrees 1001:1001 '' --group-add 7500
setfacl -d -m u::rwx,g::r-x,o::- data
agrees 1001:1001 change,delete --group-add 7500
setfacl -d -m u::rwx,g::-,o::- data
agrees 1001:1001 read,change,delete --group-add 7500
setfacl -d -m u:7001:rwx,m::rwx data
agrees 1001:1001 '' --group-add 7500
setfacl -d -m m::r-x data
agrees 1001:1001 change,delete --group-add 7500

# What the warning advises is enough.
fresh 7001:7001 755
printf 'services:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes: ["./data:/data"]\n' >compose.yaml
expect 0 "$BINDRIGHT" fix --yes
agrees 1001:1001 change,delete
expect 0 "$BINDRIGHT" fix --yes --future-files
agrees 1001:1001 ''
[ "$n" = 13 ] || die "$n of 13"
