#!/usr/bin/env bash
# What bindright predicts is what containers can do: engines, runtimes, users, groups, capabilities, user namespaces, mount options, modes and ACLs.
#
# Each combination is one container that tries everything in every directory of a tree. What it could do is compared, for
# each directory and the file in it, with what `bindright explain` said before, of the same run line.
# time limit: 1200
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/docker.sh
. "$BR_TOP/tests/e2e/lib/docker.sh"

# ---- the image ----

app_accounts
echo "big:x:70000:70000::/:" >>"$engine/rootfs/etc/passwd"
app_images labelled
docker_start_all

# ---- the tree ----

# thing NAME OWNER:GROUP DIRECTORY-MODE FILE-MODE [ACL-OF-DIRECTORY ACL-OF-FILE]
thing() {
	mkdir "tree/$1"
	touch "tree/$1/victim"
	echo text >"tree/$1/file"
	chown -R "$2" "tree/$1"
	chmod "$4" "tree/$1/file"
	chmod "$3" "tree/$1"
	[ -z "${5:-}" ] || setfacl -m "$5" "tree/$1"
	[ -z "${6:-}" ] || setfacl -m "$6" "tree/$1/file"
}
make_tree() {
	mkdir tree
	thing a01 0:0 755 644
	thing a02 0:0 700 600
	thing a03 1001:1002 750 640
	thing a04 1001:1002 700 400
	thing a05 101000:101001 750 640
	thing a06 101001:101002 770 660
	thing a07 2001:2001 750 640
	thing a08 0:2001 770 660
	thing a09 100000:100000 700 600
	thing a10 0:0 700 600 u:1001:rwx,u:101000:rwx,u:101001:r-x u:1001:rw-,u:101000:r--,u:101001:rw-
	thing a11 3000:3000 707 606 u:1001:---,u:101000:r-x,m::r-x
	thing a12 3000:3000 707 606 u:1001:---,u:2001:---,m::--- u:1001:---,m::---
	thing a13 3000:2000 770 660
	thing a14 3000:101999 770 640
	thing a15 3000:102000 730 620
	thing a16 101001:0 700 600
	thing a17 0:5000 2770 660
	thing a18 3000:3000 711 604
	thing a19 3000:3000 744 666 g:2000:rwx,g:101999:r-x,g:102000:rwx
	thing a20 3000:1002 707 604
}

# What a container tries, a line for each directory: list, enter, create, delete; read, write of the file.
# shellcheck disable=SC2016
probe='
for d in /m/a*; do
	s=${d#/m/}" "
	n=$(echo $d/*)
	[ "$n" != "$d/*" ] && s=${s}l || s=${s}-
	(cd $d) 2>/dev/null && s=${s}e || s=${s}-
	(: >$d/made) 2>/dev/null && s=${s}c || s=${s}-
	rm $d/victim 2>/dev/null && [ ! -e $d/victim ] && s=${s}d || s=${s}-
	cat $d/file >/dev/null 2>&1 && s=${s}r || s=${s}-
	(: >>$d/file) 2>/dev/null && s=${s}w || s=${s}-
	echo "$s"
done'

# ---- the combinations: engine, runtime, image, options ----

cases=$engine/cases
: >"$cases"
add() { # ENGINE RUNTIME IMAGE OPTIONS...
	local engine=$1 runtime=$2 image=$3 options
	shift 3
	for options; do
		printf '%s|%s|%s|%s\n' "$engine" "$runtime" "$image" "$options" >>"$cases"
	done
}
add plain runc image '' '-u app' '-u 1001' '-u 1001:1002' '-u 1234' '-u 3000:2000' '-u app:' '--user=:2000' '--cap-drop ALL' '--cap-drop dac_override' \
	'--cap-drop ALL --cap-add DAC_READ_SEARCH' '-u 1234 --cap-add DAC_OVERRIDE' '-u 1234 --group-add 5000 --group-add extra' \
	'-u 0:1002 --cap-drop ALL' '-u 2001 --cap-drop ALL'
add plain runc imageapp '' '-u 0' ':ro'
add remap runc image '' '-u app' '-u 1001:2000' '-u 1234:2000' '--cap-drop ALL' '--userns host' '--userns host -u app' '-u 70000' \
	'-u 1000:1001 --group-add 1999'
add remap runc imageapp '' ':ro'
add rootless runc image '' '-u app' '-u 1001' '--cap-drop ALL' '-u 0:2000 --cap-drop ALL'
add rootless runc imageapp ''
add podman runc image '' '-u app' '-u app:' '-u 1234 --cap-add DAC_OVERRIDE' '-u 1234 --cap-add DAC_READ_SEARCH' '-u app --cap-add CHOWN' \
	'--cap-drop ALL' '--uidmap 0:100000:65536' '--uidmap 0:100000:65536 -u app' '--uidmap 0:100000:65536 --gidmap 0:200000:65536 -u app' \
	'--uidmap 0:100000:65536 -u 1000:1001 --cap-drop ALL' '--uidmap 0:100000:65536 -u 70000' '--userns host -u 3000' '--privileged' \
	'-u 1001 --privileged' '--uidmap 0:100000:65536 -u 1234 --cap-add DAC_OVERRIDE' '--subuidname br-test --subgidname br-test -u app'
add podman runc imageapp '' ':ro' '--uidmap 0:100000:65536 :idmap'
add podman runc labelled '' '-u app'
add rpodman runc image '' '-u app' '-u 1001:1002' '-u 1234' '--cap-drop ALL' '-u 1234 --cap-add DAC_OVERRIDE' '--userns keep-id' \
	'--userns keep-id -u app' '--userns keep-id -u 0' '--userns keep-id:uid=1001,gid=1002' '--userns keep-id:uid=1001,gid=1002 -u app' \
	'--userns nomap' '--userns nomap -u app' '--userns host -u app' '-u 70000' '--group-add keep-groups' \
	'--userns keep-id --group-add keep-groups' '--userns keep-id --cap-drop ALL' '--uidmap 0:1:5000 -u app' '-u 0:2000 --cap-drop ALL'
add rpodman runc imageapp '' '--userns keep-id' '--userns keep-id:uid=1001,gid=1002' ':ro'
add podman crun image '' '-u app' '-u 1234 --cap-add DAC_OVERRIDE' '--cap-drop ALL' '--uidmap 0:100000:65536 -u app' '--privileged' \
	'--uidmap 0:100000:65536 -u app :idmap' '--uidmap 0:100000:65536 :idmap' '--uidmap 0:100000:65536 -u 1234 :idmap'
add podman crun labelled ''
add podman crun imageapp '--uidmap 0:100000:65536'
add rpodman crun image '' '-u app' '--userns keep-id' '--userns keep-id -u app' '--userns keep-id:uid=1001,gid=1002' '--userns nomap' \
	'--group-add keep-groups' '--userns keep-id --group-add keep-groups' '-u app --group-add keep-groups'

# What the engine refuses to start, or makes of mounts inside mounts: the runtime makes them as the root of the container's user namespace.
inner="-v $work/more:/m"
add plain runc image "$inner/a01/in" "$inner/a01/in :ro" "$inner/a01/file" "$inner/a02/file/in" "-v $work/more:/bin/busybox" '-u 00 --security-opt no-new-privileges'
add remap runc image "$inner/a02/in" "$inner/a05/in" "$inner/a01/in"
add rootless runc image "$inner/a02/in" "$inner/a17/in" "$inner/a18/in"
add podman runc image "$inner/a01/in :ro" "--uidmap 0:100000:65536 $inner/a02/in" "--uidmap 0:100000:65536 $inner/a05/in" \
	'--uidmap 0:100000:65536 :O' '-u app :O' '-u 00 --security-opt no-new-privileges' '-u 0:1002 --security-opt no-new-privileges' \
	'-u 00 --cap-add DAC_READ_SEARCH --security-opt no-new-privileges' "-v $work/absent:/absent"
add podman crun image "$inner/a01/in :ro" "--uidmap 0:100000:65536 $inner/a02/in" ':idmap' '-u +0 --security-opt no-new-privileges'
add rpodman runc image "$inner/a17/in" "--userns keep-id $inner/a17/in" "$inner/a07/in" ':O' '-u app :O' '--userns keep-id :O'
add rpodman crun image "$inner/a17/in" "--userns keep-id $inner/a07/in" ':idmap' '-u app :O'

# words_of OPTIONS: the array `words`, and the mount's option in `mode`.
words_of() {
	local word
	words=() mode=
	for word in $1; do
		case $word in
		:*) mode=$word ;;
		*) words+=("$word") ;;
		esac
	done
}

# ---- what we say ----

make_tree
mkdir -m 755 more
# One file of run lines for each engine, since an engine's options are those of all lines.
printf '{"userns-remap": "br-test:br-test"}\n' >remap.json
printf '{}\n' >plain.json
n=0
while IFS='|' read -r kind runtime image options; do
	n=$((n + 1))
	words_of "$options"
	case $kind:$runtime in
	*podman:runc) echo "podman --runtime runc run --name c$n --rm --network none ${words[*]} -v $work/tree:/m$mode localhost/$image" ;;
	*podman:crun) echo "podman --runtime crun run --cgroups=disabled --name c$n --rm --network none ${words[*]} -v $work/tree:/m$mode localhost/$image" ;;
	*) echo "docker run --name c$n --rm --network none ${words[*]} -v $work/tree:/m$mode localhost/$image" ;;
	esac >>"lines.$kind"
done <"$cases"
predict() { # ENGINE OPTION...
	CONTAINER_HOST=unix://$work/none python3 "$BR_TOP/tests/e2e/lib/predict.py" "lines.$1" tree /m --kind run-line --image-archive "$engine/images.tar" "${@:2}"
}
export DOCKER_HOST=unix://$work/none
{
	predict plain --engine docker --engine-version 20.10 --daemon-config plain.json
	predict remap --engine docker --engine-version 20.10 --daemon-config remap.json
	predict rootless --engine docker-rootless --engine-version 20.10 --engine-user br-test
	predict podman --engine podman --engine-version 4.3
	predict rpodman --engine podman-rootless --engine-version 4.3 --engine-user br-test
} >said &

# ---- what they can do ----

see() { # ENGINE RUNTIME IMAGE OPTIONS
	local words mode run=()
	words_of "$4"
	rm -rf tried
	cp -a tree tried
	case $1 in
	podman) run=(pm) ;;
	rpodman) run=(rl) ;;
	*) run=(docker_of "$1") ;;
	esac
	case $1:$2 in
	*podman:crun) run+=(--runtime crun run --cgroups=disabled) ;;
	*) run+=(run) ;;
	esac
	if ! "${run[@]}" --rm --network none "${words[@]}" -v "$work/tried:/m$mode" "localhost/$3" sh -c "$probe" >see.out 2>see.err </dev/null; then
		[ "$(wc -l <see.out)" = 20 ] || echo "refused $(tail -n 1 see.err)" >see.out
	fi
	cat see.out
}
n=0
: >seen
while IFS='|' read -r kind runtime image options; do
	n=$((n + 1))
	see "$kind" "$runtime" "$image" "$options" | sed "s/^/$n /" >>seen
done <"$cases"
wait $!
sort -s -n -k 1,1 -o said said

# ---- the two ----

# What was refused, in whichever words, was refused.
sed 's/ refused .*/ refused/' seen >seen.short
sed 's/ refused .*/ refused/' said >said.short
bad=0
for n in $(seq "$(wc -l <"$cases")"); do
	for side in seen said; do sed -n "s/^$n //p" $side.short | sort >"$side.one"; done
	if [ -s seen.one ] && cmp -s seen.one said.one; then continue; fi
	bad=$((bad + 1))
	echo "$(sed -n "${n}p" "$cases") (< the container, > bindright):" >&2
	diff seen.one said.one >&2 || true
done
[ $bad = 0 ] || die "$bad of $(wc -l <"$cases") combinations disagree"
[ "$(wc -l <"$cases")" -ge 120 ] || die "too few combinations"
[ "$(grep -c refused seen.short)" -le 26 ] || die "too many did not start"
echo "agreed: $(wc -l <"$cases") combinations, $(grep -vc refused seen.short) directories, $(grep -c refused seen.short) refused"
