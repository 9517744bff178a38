#!/usr/bin/env bash
# What is missing at one place by two names (a bind mount) is made once, for all who mount it by either.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir data alias
mount --bind data alias

# two SOURCE SOURCE: a service of 1001 and one of 1002.
two() {
	printf 'services:\n' >compose.yaml
	printf '  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["%s:/d"]\n' "$1" >>compose.yaml
	printf '  b:\n    image: x\n    user: "1002:1002"\n    volumes: ["%s:/d"]\n' "$2" >>compose.yaml
}

# fits COUNT: so many directories are made, all fits then, nothing is left to be done, and all of it can be put back.
fits() {
	bindright fix --sysroot "$T" --yes >shown 2>&1 || die "$(cat compose.yaml shown)"
	grep -q "^Changed $1 of $1 ($1 director" shown || die "not $1 made: $(cat compose.yaml shown)"
	bindright fix --sysroot "$T" --yes >shown 2>&1 || die "$(cat compose.yaml shown)"
	! grep -q '^Plan$' shown || die "not done at once: $(cat compose.yaml shown)"
	getfacl -R -n -c data >acls
	bindright undo --yes >shown
	[ -z "$(ls -A data)" ] || die "undo left something: $(ls -R data)"
}

two ./data/new ./alias/new
fits 1
grep -q '^user:1002:rwx$' acls || die "the second one has no entry: $(cat acls)"
two ./alias/new ./data/new
fits 1
# One within the other, both ways.
two ./data/new ./alias/new/sub
fits 2
two ./alias/new/sub ./data/new
fits 2
# Side by side below what is missing itself; the way there is made once.
two ./data/way/x ./alias/way/y
fits 3
two ./alias/way/y/z ./data/way/x
fits 4
# One is there.
two ./data ./alias/new
bindright fix --sysroot "$T" --yes >shown 2>&1 || die "$(cat shown)"
getfacl -n -c data/new | grep -q '^user:1001:rwx$' || die "the outer one cannot use what is made in it: $(cat shown)"
bindright undo --yes >shown
# By the name that can be written.
mount -o remount,ro,bind alias
two ./alias/new ./data/new
sed -i 's|alias/new:/d|alias/new:/d:ro|' compose.yaml
bindright fix --sysroot "$T" --yes >shown 2>&1 || die "$(cat shown)"
[ "$(stat -c %u data/new)" = 1002 ] || die "who writes is not the owner"
umount alias
