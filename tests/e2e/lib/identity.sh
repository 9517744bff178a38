# The cases of the identity matrix, for any engine: images, user words and groups; what containers see and what we work out.
# shellcheck shell=bash disable=SC2154
#
# Sourced after lib.sh. `box` is the engine's command: a client that knows import, run and save.

# shellcheck source=tests/e2e/lib/who.sh
. "$BR_TOP/tests/e2e/lib/who.sh"

root=$engine/rootfs
images=()

# import NAME [USER]: an image of the rootfs as it is now.
import() {
	local options=()
	[ -z "${2:-}" ] || options=(-c "USER $2")
	tar -C "$root" -c . | "${box[@]}" import "${options[@]}" - "$1" >/dev/null
	images+=("$1")
}
# files PASSWD GROUP: the account files of the next images ('-': none).
files() {
	rm -rf "${root:?}/etc" "${root:?}/usr"
	mkdir -p "$root/etc"
	[ "$1" = - ] || printf '%b' "$1" >"$root/etc/passwd"
	[ "$2" = - ] || printf '%b' "$2" >"$root/etc/group"
}

# ---- the images ----

base_passwd='root:x:0:0::/:\napp:x:1001:1002::/home/app:\nsvc:x:1005:1005::/:\nbig:x:2147483647:2147483646::/:\n'
base_group='root:x:0:\nwheel:x:10:root\napp:x:1002:\nsvc:x:1005:\nextra:x:2000:app\nmedia:x:2001:app,root\n'
files "$base_passwd" "$base_group"
import base
for word in app 1001 app:extra 1001:2000 :2000 app: : nosuch app:nogrp 01001 1234 root 0 0:0 2147483648 APP svc:svc; do
	import "user${#images[@]}" "$word"
done
files "$base_passwd" -
import nogroup
files - "$base_group"
import nopasswd
files - -
import none
files 'root:x:0:0::/:\nfirst:x:1001:11::/:\nsecond:x:1001:22::/:\nfirst:x:1002:33::/:\n' \
	'a:x:3001:first\nb:x:3002:second\nb:x:3003:\nc:x:3001:first,second\n'
import twice
files '1001:x:5555:5556::/:\nzed:x:1001:1002::/:\n0:x:7:8::/:\n' 'zed:x:1002:\n2500:x:6000:nobody\n6001:x:6001:zed\n'
import numbers
files 'root:x:0:0::/:\nweird:x:abc:1\nbad\nshort:x:1010\nnogid:x:1015:\n  lead:x:1020:1021::/:\ncr:x:1030:1031::/:\r\n\n#c:x:1040:1041::/:\nhuge:x:4294968298:1::/:\napp:x:1001:0x10::/:\nsp :x:1050:1051::/:\n::1060:1061::/:\n' \
	'gcr:x:3000:cr\r\nfirst:x:3001: lead \nlast:x:3002:app,lead\ngbad:x:zzz:app\ngshort:x\n#c:x:3003:app\n\n  glead:x:3004:app\nempty:x:3005:,app,,\nhugeg:x:4294969296:app\n'
import odd
# Numbers beyond an ID's 31 and 32 bits.
files 'root:x:0:0::/:\nhuge:x:4294968298:1\nneg:x:-5:8\nedge:x:2147483648:9\ngneg:x:1100:-3\nghuge:x:1102:4294968299\nvast:x:99999999999999999999:7\ndup:x:1002:77\nplain:x:1200:1200\nless:x:1300:1300\n' \
	'gg:x:4294968298:plain\ngn:x:-7:less\nge:x:2147483648:dup\n'
import wide
files 'bad\nroot:x:0:0::/:\n' 'five:x:5:bad\nsix:x:6:root\n'
import bad
files 'root:x:0:5::/:\n' 'five:x:5:\nseven:x:7:root\n'
import rootgroup
files "$base_passwd" "$base_group"
mkdir -p "$root/usr/lib/x"
mv "$root/etc/passwd" "$root/etc/group" "$root/usr/lib/x"
ln -s ../usr/lib/x/passwd "$root/etc/passwd"
ln -s /usr/lib/x/group "$root/etc/group"
import links

# ---- the cases: image, user word ('' : none), words of group_add ----

cases=$work/cases
: >"$cases"
add() { # IMAGE GROUPS WORD...
	local image=$1 groups=$2
	shift 2
	for word in "$@"; do
		printf '%s|%s|%s\n' "$image" "$word" "$groups" >>"$cases"
	done
}
add base '' '' app 1001 1234 app:extra app:2000 1001:2000 1001:1002 1001:3333 :2000 :extra app: : nosuch app:nogrp 01001 +5 00 \
	-0 0x3e9 1e3 APP app:extra:x root 0 0:0 svc 1005:svc root: 1001: app:02000 0:media big 2147483647 2147483647:2147483647 \
	app::x :nogrp 1001:APP 'app ' root:wheel
for image in "${images[@]}"; do
	[[ $image != user* ]] || add "$image" '' ''
done
add user1 '' 0 1005 svc:extra nosuch
add user8 '' app
add user15 '' 1001
add base 44 '' app 1001:1002 1234
add base wheel app
add base 'media 44' 1001:1002 1234
add base nosuchgrp app
add base extra root 0:0
add base '2000 1002' app
add base 044 app
add base 'media 2001' app
add base '2001 media' 1234
add base 'extra media wheel 0' svc
add user2 'wheel 7' ''
add nogroup '' '' app 1001 1001:2000 1234
add nogroup 44 app
add nogroup wheel app
add nopasswd '' '' root 1001 0:extra 1001:media
add nopasswd extra 1001
add none '' '' 0 1001 1001:2000 root 1001:root
add none 44 1001
add none wheel 0
add twice '' 1001 first second 1002 second:b first:c
add twice b 1001
add numbers '' 1001 zed 5555 0 7 zed:6001
add numbers 6001 zed
add odd '' weird bad short 1010 nogid 1015 lead 1020 cr 1030 '#c' 1040 huge app 1001 'sp ' sp 1060 0 root app:gbad app:gshort app:glead
add odd glead cr
add odd gbad cr
add odd gshort 1234
add wide '' huge 1002 neg edge gneg 1100 ghuge 1102 vast dup plain plain:gg plain:gn plain:ge less 2147483647
add wide gg 7:8
add wide gn 7:8
add wide ge 7:8
add bad '' '' 0 root bad
add rootgroup '' '' 0 root 0:0 :7 1
add links '' '' app 1001 app:extra nosuch
add links media svc

# ---- what containers see ----

# Half of them each; the engine can do two things at a time.
half() {
	local n=0
	while IFS='|' read -r image word groups; do
		n=$((n + 1))
		[ $((n % 2)) = "$1" ] || continue
		printf '%s %s\n' "$n" "$(see "$image" "$word" "$groups" "$work/see$1")"
	done <"$cases"
}
half 1 >"$work/odd" &
half 0 >"$work/even"
wait $!
sort -n "$work/odd" "$work/even" | sed 's/ *$//' >"$work/seen"

# ---- what bindright works out ----

# compose: one service a case, c1, c2, …
{
	echo services:
	n=0
	while IFS='|' read -r image word groups; do
		n=$((n + 1))
		printf '  c%s:\n    image: %s\n' "$n" "$image"
		[ -z "$word" ] || printf "    user: '%s'\n" "$word"
		[ -z "$groups" ] || printf "    group_add: ['%s']\n" "${groups// /\', \'}"
	done <"$cases"
} >compose.yaml

agree() { # FILE: it says what was seen
	paste -d'|' "$cases" "$work/seen" "$1" | awk -F'|' '{
		if ($4 != $5) { print "image " $1 ", user \"" $2 "\", group_add \"" $3 "\": the container is " $4 ", not " $5; bad++ }
	} END { exit bad > 0 }' >&2 || die "$2"
}

