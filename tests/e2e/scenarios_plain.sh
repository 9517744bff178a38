#!/usr/bin/env bash
# The scenarios where there is no engine and no root: what can be shown is shown, and what cannot is said.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir -p "$engine/home" && chown 7001:7001 "$engine/home"
sed '/^[^:]*:[^:]*:7001:/d; /^alice:/d' /etc/passwd >"$engine/passwd"
echo "alice:x:7001:7001::$engine/home:/bin/sh" >>"$engine/passwd"
mount --bind "$engine/passwd" /etc/passwd
cp -r "$BR_TOP/examples" "$engine/examples"
cp "$BINDRIGHT" "$engine/bindright"
chmod -R a+rX "$engine/examples" "$engine/bindright"
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME="$engine/home" TMPDIR="$engine/home" BINDRIGHT="$engine/bindright" DOCKER_HOST="unix://$engine/none.sock" "$@"; }

n=0
for scenario in "$engine"/examples/*/run.sh; do
	expect 0 as_alice bash "$scenario"
	says "(not run: there is no Docker engine here"
	n=$((n + 1))
done
[ $n = 5 ] || die "there are $n scenarios"
expect 0 as_alice "$engine/bindright" history
[ "$(grep -c 'alice  undone' "$out")" -ge 2 ] || die "fixes were not undone: $(cat "$out")"
[ -z "$(ls -d "$engine"/home/bindright-demo.* 2>/dev/null)" ] || die "a tree was left"
