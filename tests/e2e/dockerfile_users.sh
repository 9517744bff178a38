#!/usr/bin/env bash
# What we read in a Dockerfile is what the engine builds: USER, and passwd and group where we call them complete.
#
# The Dockerfiles are those of tests/dockerfile; their bases are made here, with Debian's own useradd and its like in them.
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"

program=$(dirname "$BINDRIGHT")/tests/test_dockerfile
[ -x "$program" ] || skip "needs $program (make tests)"
# shellcheck source=tests/e2e/lib/rootfs.sh
. "$BR_TOP/tests/e2e/lib/rootfs.sh"
cases=$BR_TOP/tests/dockerfile

# The root file system of both bases.
root=$work/root
accounts_rootfs "$root"

base() {
	tar -C "$root" -c . | "$docker" import "${@:2}" - "$1" >/dev/null
}
printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
base plain:1
printf '%s:x:%s::/:/bin/sh\n' root 0:0 www-data 33:33 old 1000:1000 sys1 999:998 >"$root/etc/passwd"
printf '%s:x:%s:\n' root 0 www-data 33 old 1000 users 100 sys1 998 >"$root/etc/group"
base full:1 -c 'ENV BASE=fromenv' -c 'ENV EMPTY=' -c 'ENV APP_UID=4242' -c 'USER 33'

# What this builder does not know, or does otherwise than the ones after it; what has other bases.
unfit() {
	case $1 in
	# heredocs, patterns and forms without a colon came later
	heredoc-* | form-trim | form-replace | form-default | form-plus) ;;
	# BuildKit's alone
	stage-arg-inherited | stage-target-number | stage-other-is-not-read | syntax-other | stage-platform | arg-platform-* | run-flags | copy-elsewhere | context-remote) ;;
	# no such program in the base, or nothing to copy
	useradd-other-root | useradd-not-run | useradd-odd-shell | useradd-substituted | copy-rootfs | copy-passwd-unknown | copy-passwd-base-unknown | workdir-relative) ;;
	# nothing can be taken away from nothing
	scratch) ;;
	*) ! grep -qE '^FROM +(plain|full):|^FROM scratch' "$cases/$1/Dockerfile" || return 1 ;;
	esac
}

# The lines of a file in the image as NAME:…, in order.
file_of() {
	"$docker" export "$1" | tar -xO "etc/$2" 2>/dev/null | awk -F: -v OFS=: -v file="$2" \
		'file == "passwd" { print "u " $1, $3, $4 } file == "group" { print "g " $1, $3, $4 }'
}

compared=0 accounts=0
for dir in "$cases"/*/; do
	name=$(basename "$dir")
	[ -e "$dir/Dockerfile" ] || continue
	# A case from which no image comes has nothing to compare.
	if unfit "$name" || grep -q '^error' "$dir/expected"; then continue; fi
	options=()
	if [ -e "$dir/request" ]; then
		while read -r word value; do
			case $word in
			arg) options+=(--build-arg "$value") ;;
			target) options+=(--target "$value") ;;
			esac
		done <"$dir/request"
	fi
	"$program" --answer "$name" >"$work/ours"
	if grep -qx unknown "$work/ours"; then continue; fi
	user() {
		(cd "$dir" && USER=host "$docker" build --network none --quiet --no-cache "${options[@]}" .)
	}
	image=$(user 2>"$work/log") || {
		cat "$work/log" >&2
		die "$name cannot be built"
	}
	theirs=$("$docker" image inspect -f '{{.Config.User}}' "$image")
	[ "user $theirs" = "$(sed -n 1p "$work/ours")" ] || die "$name: the engine has user '$theirs', we have: $(sed -n 1p "$work/ours")"
	compared=$((compared + 1))
	[ "$(wc -l <"$work/ours")" -gt 1 ] || continue
	container=$("$docker" create "$image" true)
	{ file_of "$container" passwd; file_of "$container" group; } | sort >"$work/theirs.accounts"
	"$docker" rm "$container" >/dev/null
	sed 1d "$work/ours" | sort >"$work/ours.accounts"
	diff "$work/theirs.accounts" "$work/ours.accounts" >&2 || die "$name: other accounts (< theirs, > ours)"
	accounts=$((accounts + 1))
done
echo "$compared users and $accounts lists of accounts are as built"
[ "$compared" -ge 40 ] || die "only $compared Dockerfiles were compared"
[ "$accounts" -ge 30 ] || die "only $accounts lists of accounts were compared"
