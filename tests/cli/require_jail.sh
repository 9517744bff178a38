#!/usr/bin/env bash
# --require-jail: nothing is changed where the jail cannot be had; without the word it is said.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

# run STATUS COMMAND...: it ends like that.
run() {
	local want=$1 got=0
	shift
	"$@" >"$T/out" 2>&1 </dev/null || got=$?
	[ "$got" = "$want" ] || {
		cat "$T/out" >&2
		die "exit status $got, not $want: $*"
	}
}
says() { grep -qF -- "$1" "$T/out" || { cat "$T/out" >&2 && die "does not say: $1"; }; }
silent() { if grep -qF -- "$1" "$T/out"; then cat "$T/out" >&2 && die "says: $1"; fi; }
# In a container there often is no such right.
less() { setpriv --bounding-set=-sys_admin "$@"; }

# Where newer calls are refused, it is as on an old kernel.
why='a mount cannot be cloned: Operation not permitted'
[ "${BR_UNDER:-}" != enosys ] || why='a mount cannot be cloned: Function not implemented'
mkdir data
echo x >data/f
chown -R 7001:7001 data
chown 1001:1001 data/f
chmod 700 data
compose 'volumes: ["./data:/data"]'
find . -printf '%p %u %g %m\n' | sort >"$T/before"
getfacl -R -n data >>"$T/before"
unchanged() {
	{
		find . -printf '%p %u %g %m\n' | sort
		getfacl -R -n data
	} | diff "$T/before" - >&2 || die "something was changed"
}
run 3 less "$BINDRIGHT" fix --yes --require-jail
says 'the mount jail cannot be had'
says "$why"
unchanged
run 0 bindright history
silent unfinished
run 3 unshare --user --map-root-user "$BINDRIGHT" fix --yes --require-jail
says 'the mount jail cannot be had'
unchanged
# Without it, it is worked, and said.
run 0 less "$BINDRIGHT" fix --yes
says "jail: off ($why)"
run 3 less "$BINDRIGHT" undo --yes --require-jail
says 'the mount jail cannot be had'
run 0 less "$BINDRIGHT" undo --yes
says 'jail: off ('
unchanged
# With all rights.
if [ "${BR_UNDER:-}" = enosys ]; then
	run 3 bindright fix --yes --require-jail
	says "$why"
	unchanged
	exit 0
fi
run 0 bindright fix --yes --require-jail
silent jail
run 0 bindright undo --yes --require-jail
silent jail
unchanged
