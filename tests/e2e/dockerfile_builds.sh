#!/usr/bin/env bash
# What we work out from a Dockerfile is who its container is: built by Podman for real, run, and compared, uid, gid and groups.
#
# The Dockerfiles are those of tests/dockerfile that can be built from what is here, and those of dockerfiles/debian.txt.
# time limit: 600
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/rootfs.sh
. "$BR_TOP/tests/e2e/lib/rootfs.sh"
box=(podman) lend=yes
# shellcheck source=tests/e2e/lib/who.sh
. "$BR_TOP/tests/e2e/lib/who.sh"

# ---- the bases ----

root=$engine/plain
accounts_rootfs "$root"
base() {
	tar -C "$root" -c . | pm import -q "${@:2}" - "$1" >/dev/null
}
printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
base plain:1
printf '%s:x:%s::/:/bin/sh\n' root 0:0 www-data 33:33 old 1000:1000 sys1 999:998 >"$root/etc/passwd"
printf '%s:x:%s:\n' root 0 www-data 33 old 1000 users 100 sys1 998 >"$root/etc/group"
base full:1 -c 'ENV BASE=fromenv' -c 'ENV EMPTY=' -c 'ENV APP_UID=4242' -c 'USER 33'
root=$engine/debian
debian_rootfs "$root"
base debian:12
pm save -q -m -o bases.tar plain:1 full:1 debian:12

# ---- the cases ----

# What Buildah 1.28 does not know or does otherwise than Docker's builder (heredocs, most forms of variables, letters of
# stage names, an ARG of the stage before), and what needs more than these bases.
unfit() {
	case $1 in
	heredoc-* | form-trim | form-replace | form-default | form-plus | form-required | line-crlf | line-double-escape) ;;
	stage-arg-inherited | stage-chain | stage-target | syntax-other | context-remote | copy-elsewhere | run-flags) ;;
	useradd-other-root | useradd-not-run | useradd-odd-shell | copy-rootfs | copy-passwd-unknown | workdir-relative) ;;
	copy-passwd-base-unknown) ;;
	*) ! grep -qiE '^FROM +(--platform=[^ ]* )?(plain|full|debian):|^FROM scratch' "$1/Dockerfile" || return 1 ;;
	esac
}
mkdir contexts
for dir in "$BR_TOP"/tests/dockerfile/*/; do
	[ ! -e "$dir/Dockerfile" ] || grep -q '^error' "$dir/expected" || cp -r "$dir" contexts/
done
cd contexts
awk '/^=== / { close(file); system("mkdir debian-" $2); file = "debian-" $2 "/Dockerfile"; print "FROM debian:12" >file; next }
	file { print >file }' "$BR_TOP/tests/e2e/dockerfiles/debian.txt"

# request DIRECTORY: the build's arguments, as options and as lines of compose.
request() {
	local word value
	options=() lines=
	[ -e "$1/request" ] || return 0
	while read -r word value; do
		case $word in
		arg)
			options+=(--build-arg "$value")
			lines+=$(printf '\n        - "%s"' "$value")
			;;
		target) options+=(--target "$value") target=$value ;;
		esac
	done <"$1/request"
}

n=0
echo services: >../compose.yaml
: >../names
for dir in *; do
	! unfit "$dir" || continue
	target=
	request "$dir"
	n=$((n + 1))
	echo "$dir" >>../names
	{
		printf '  c%s:\n    build:\n      context: ./contexts/%s\n' "$n" "$dir"
		[ -z "$target" ] || printf '      target: "%s"\n' "$target"
		[ -z "$lines" ] || printf '      args:%s\n' "$lines"
	} >>../compose.yaml
done

# ---- what we say, before anything is built ----

cd ..
expect 0 env DOCKER_HOST="unix://$work/none" "$BINDRIGHT" check --format json --image-archive bases.tar
worked_out said sure <"$out"

# ---- what is built and run ----

build() {
	pm build --quiet --layers=false --isolation chroot "${options[@]}" -t "built:$1" "contexts/$2" >"log$1" 2>&1
}
build_and_see() { # N NAME
	local options lines target
	request "contexts/$2"
	# No image is removed while others are made: Podman stumbles over a layer of the same content that goes while it commits its own.
	build "$@" || {
		sed "s|^|$2: |" "log$1" >&2
		echo "$1 unbuilt"
		return
	}
	echo "$1 $(see "built:$1" '' '' "$work/see$1")"
}
# Half of them each, two at a time.
half() {
	local n=0 name
	while read -r name; do
		n=$((n + 1))
		[ $((n % 2)) = "$1" ] || continue
		build_and_see "$n" "$name" </dev/null
	done <names
}
half 1 >odd &
half 0 >even
wait $!
sort -n odd even | sed 's/ *$//' >seen

# What we do not know we do not say; where we do not call the groups complete, more may be there.
paste -d'|' names seen said sure | awk -F'|' '{
	split($4, sure, " ")
	sub(/^[0-9]+ */, "", $2)
	sub(/^[0-9]+ */, "", $3)
	if ($3 == "unknown") { unknown++; next }
	if (sure[3] == "open" && $2 ~ /^[0-9]/) {
		split($2, seen, " ")
		split($3, said, " ")
		$2 = seen[1] " " seen[2]
		$3 = said[1] " " said[2]
	}
	if ($2 != $3) { print $1 ": the container is " $2 ", not " $3 " (" sure[2] ", groups " sure[3] ")"; bad++ }
	else agreed++
} END {
	print agreed " containers are whom their Dockerfiles say, of " unknown " it is not known" >"/dev/stdout"
	exit bad > 0 || agreed < 110 || unknown > 10
}' >agreed || {
	cat agreed >&2
	die "disagreement with what was built, or too few compared"
}
cat agreed
