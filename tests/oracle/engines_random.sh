#!/usr/bin/env bash
# Random images, users, groups, capabilities, user namespaces, mounts and trees: what is predicted is what real containers can do, whose what they make is, and
# which of them an engine refuses to start.
#
#   BR_ENGINE_CASES   how many containers (40)
#   BR_SEED           where the dice begin (printed; else by the clock)
# time limit: 3600
# shellcheck source=tests/e2e/lib.sh
: "${BR_SEED:=$(date +%s)}"
export BR_SEED
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/docker.sh
. "$BR_TOP/tests/e2e/lib/docker.sh"
programs=("$BR_TOP"/.build/compose/*/docker-compose)
compose=${programs[0]}
[ -x "$compose" ] || skip "needs tests/compose/fetch.sh .build/compose (make deps-ci)"
compose_version=$(basename "$(dirname "$compose")")
count=${BR_ENGINE_CASES:-40}
echo "BR_SEED=$BR_SEED BR_ENGINE_CASES=$count"
python3 "$BR_TOP/tests/oracle/engines_random.py" "$BR_SEED" "$count" .

# ---- images and engines ----

images=()
mkdir -p "$engine"/rootfs/{closed,shut,vol}
chmod 700 "$engine/rootfs/closed"
touch "$engine/rootfs/afile" "$engine/rootfs/vol/of-the-image"
chown -R 1001:1002 "$engine/rootfs/shut" "$engine/rootfs/vol"
chmod 750 "$engine/rootfs/shut" "$engine/rootfs/vol"
for dir in images/*; do
	cp "$dir/passwd" "$dir/group" "$engine/rootfs/etc/"
	rootfs_tar
	changes=(-c 'LABEL a=b')
	[ ! -s "$dir/user" ] || changes=(-c "USER $(cat "$dir/user")")
	pm import -q "${changes[@]}" "$engine/base.tar" "image${dir#*/}" >/dev/null
	images+=("image${dir#*/}")
done
pm save -q -m -o "$engine/images.tar" "${images[@]}"
chmod 644 "$engine/images.tar"
for image in "${images[@]}"; do pm save -q -o "$engine/$image.tar" "$image"; done
# With overlay the store of Podman 4 cannot mount an image for maps of several pieces (both its ways of shifting IDs at once).
pieces() { pm --storage-driver vfs --root "$pod/vfs" --runroot /run/vfs "$@"; }
pieces load -q -i "$engine/images.tar" >/dev/null
rl load -q -i "$engine/images.tar" >/dev/null
docker_start_all
printf '{"userns-remap": "br-test:br-test"}\n' >remap.json
printf '{}\n' >plain.json

# What a container tries, a line for each directory: list, enter, create, delete; read, write of the file.
# shellcheck disable=SC2016
probe='
for d in "$@"; do
	s="$d "
	n=$(echo $d/*)
	[ "$n" != "$d/*" ] && s=${s}l || s=${s}-
	(cd $d) 2>/dev/null && s=${s}e || s=${s}-
	(: >$d/made) 2>/dev/null && s=${s}c || s=${s}-
	rm -f $d/victim 2>/dev/null && s=${s}d || s=${s}-
	cat $d/file >/dev/null 2>&1 && s=${s}r || s=${s}-
	(: >>$d/file) 2>/dev/null && s=${s}w || s=${s}-
	echo "$s"
done'

run_words() { # ENGINE RUNTIME
	case $1:$2 in
	*podman:crun) echo "podman --runtime crun run --cgroups=disabled" ;;
	*podman:runc) echo "podman --runtime runc run" ;;
	*) echo "docker run" ;;
	esac
}
clear_away() {
	local dir
	! mountpoint -q "$1.sub/s1" || umount "$1.sub/s1"
	for dir in "$1" "$1.more" "$1.sub" "$1.missing"; do
		[ ! -e "$dir" ] || { chattr -R -i -a "$dir" && rm -rf "$dir"; }
	done
}
fresh() {
	clear_away "$1"
	bash tree.sh "$1" && bash attributes.sh "$1"
}

# ---- what we say ----

fresh tree
n=0
while IFS='|' read -r kind runtime form image words; do
	n=$((n + 1))
	if [ "$form" = compose ]; then
		sed "s#@T#$work/tree#g" "compose.$n" >"said.$n.yaml"
		echo "--compose-version ${compose_version:?} -f said.$n.yaml"
	else
		echo "$(run_words "$kind" "$runtime") --name c$n --rm --network none ${words//@T/$work/tree} localhost/image$image" >"line.$n"
		echo "--kind run-line -f line.$n"
	fi >"options.$n"
	case $kind in
	plain) echo --engine docker --engine-version 20.10 --daemon-config plain.json ;;
	remap) echo --engine docker --engine-version 20.10 --daemon-config remap.json ;;
	rootless) echo --engine docker-rootless --engine-version 20.10 --engine-user br-test ;;
	podman) echo --engine podman --engine-version 4.3 ;;
	rpodman) echo --engine podman-rootless --engine-version 4.3 --engine-user br-test ;;
	esac >>"options.$n"
	echo "--image-archive $engine/image$image.tar" >>"options.$n"
done <cases
for i in $(seq "$n"); do
	# shellcheck disable=SC2046 # words
	DOCKER_HOST=unix://$work/none CONTAINER_HOST=unix://$work/none python3 "$BR_TOP/tests/oracle/engines_probe.py" say "$i" "$work/tree" $(cat "options.$i") >"said.$i" || echo "no answer" >"said.$i"
done &
saying=$!
unset CONTAINER_HOST

# ---- what they can do ----

compose_run() { # NUMBER ENGINE ARGUMENTS...
	local number=$1 engine_name=$2 rc=0
	shift 2
	sed "s#@T#$work/tried#g" "compose.$number" >"seen.$number.yaml"
	local words=(env "DOCKER_HOST=unix://$engine/docker-$engine_name/docker.sock" "$compose" -p "c$number" -f "seen.$number.yaml")
	"${words[@]}" run --rm -T app "$@" || rc=$?
	"${words[@]}" down -v >/dev/null 2>&1 || true
	return "$rc"
}
i=0
while IFS='|' read -r -u 9 kind runtime form image words; do
	i=$((i + 1))
	fresh tried
	case $kind in
	podman) run=(pm) ;;
	rpodman) run=(rl) ;;
	*) run=(docker_of "$kind") ;;
	esac
	[[ $kind != podman || $words != *--uidmap*--uidmap* ]] || run=(pieces)
	case $kind:$runtime in
	*podman:crun) run+=(--runtime crun run --cgroups=disabled) ;;
	*) run+=(run) ;;
	esac
	mapfile -t dirs < <(cut -d' ' -f1 "probes.$i")
	if [ "$form" = compose ]; then
		run=(compose_run "$i" "$kind")
	else
		# shellcheck disable=SC2206 # words
		run+=(--rm --network none ${words//@T/$work/tried} "localhost/image$image")
	fi
	"${run[@]}" sh -c "$probe" sh "${dirs[@]}" >"seen.$i" 2>see.err </dev/null ||
		[ "$(wc -l <"seen.$i")" = ${#dirs[@]} ] || echo "refused $(grep -v -e level=warn -e ' Network ' -e ' Volume ' -e "See 'docker run" see.err | tail -n 1)" >"seen.$i"
	python3 "$BR_TOP/tests/oracle/engines_probe.py" see "$i" "$work/tried" >"found.$i"
done 9<cases
wait "$saying"
clear_away tree
clear_away tried

# ---- the two ----

# "PATH le?..." takes either letter at the question mark.
bad=0 probes=0 refused=0
for i in $(seq "$n"); do
	if awk 'FNR == NR { said[$1] = $0; n++; next }
		{
			m++
			if ($1 == "refused") { bad += said[$1] == ""; next }
			if (!($1 in said)) { bad++; next }
			split(said[$1], a, " ")
			for (k = 1; k <= 6; k++) { if (substr(a[2], k, 1) != "?" && substr(a[2], k, 1) != substr($2, k, 1)) bad++ }
			for (k = 3; k <= 5; k++) { if (substr(a[2], 3, 1) != "?" && substr(a[2], 1, 1) != "?" && a[k] != $k) bad++ }
		}
		END { exit bad > 0 || n != m || n == 0 }' "said.$i" "found.$i"; then
		grep -q ^refused "found.$i" && refused=$((refused + 1)) || probes=$((probes + $(wc -l <"found.$i") * 6))
		continue
	fi
	bad=$((bad + 1))
	echo "$i: $(sed -n "${i}p" cases) (< the container, > bindright):" >&2
	diff "found.$i" "said.$i" >&2 || true
done
unpredicted=$(for i in $(seq "$n"); do ! grep -q ^refused "found.$i" || grep -q ^refused "said.$i" || echo "$i"; done | wc -l)
echo "BR_SEED=$BR_SEED: $n containers, $probes probes, $refused refusals predicted, $unpredicted refusals not predicted, $bad disagreements"
[ $bad = 0 ] || die "$bad of $n combinations disagree (BR_SEED=$BR_SEED BR_ENGINE_CASES=$n)"
[ $((refused * 4)) -lt $((n * 3)) ] || die "too many did not start: $refused of $n"
