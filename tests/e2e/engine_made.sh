#!/usr/bin/env bash
# What the engine makes of a missing source depends on the directory in which it makes it: foreseen, then made.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

n=0
# agrees SAID OPTIONS: whether BR201 is said of ./top/a/b, mounted with these options, is whether uid 1001 cannot use what the engine makes.
agrees() {
	local said=fits did=fits
	printf 'services:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes: ["./top/a/b:/data%s"]\n' "$2" >compose.yaml
	"$BINDRIGHT" check >"$out" 2>"$err" || true
	! grep -q BR201 "$out" || said=BR201
	"$docker" run --rm --network none --user 1001:1001 --volume "$work/top/a/b:/data$2" busybox sh -c \
		"ls /data $([ "$2" ] || echo '&& touch /data/x')" >/dev/null 2>&1 || did=BR201
	[ "$said $did" = "$1 $1" ] || {
		getfacl -n top/a top/a/b >&2
		cat "$out" >&2
		die "$1 wanted, $said said, $did so"
	}
	rm -rf top
	n=$((n + 1))
}
top() { mkdir top && chmod "${1:-755}" top; }
top
agrees BR201 ''
top
agrees fits :ro
# A default ACL does not give what the engine's own mode holds back, and may take what it gives.
top && setfacl -d -m u:1001:rwx top
agrees BR201 ''
top && setfacl -d -m u:1001:rwx top
agrees fits :ro
top && setfacl -d -m u:1001:- top
agrees BR201 :ro
# Others get theirs back, by the engine's chmod.
top && setfacl -d -m u::rwx,g::rwx,o::- top
agrees fits :ro
top && setfacl -d -m g:1001:-,o::- top
agrees BR201 :ro
top 2775 && chgrp 1001 top
agrees BR201 ''
top 2775 && chgrp 1001 top
agrees fits :ro
top 700
agrees fits :ro
[ $n = 10 ] || die "$n"
