#!/usr/bin/env bash
# Random images, users, groups, capabilities, user namespaces, mounts and trees: what is predicted is what real containers can do.
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
count=${BR_ENGINE_CASES:-40}
echo "BR_SEED=$BR_SEED BR_ENGINE_CASES=$count"
python3 "$BR_TOP/tests/oracle/engines_random.py" "$BR_SEED" "$count" .

# ---- images and engines ----

images=()
for dir in images/*; do
	cp "$dir/passwd" "$dir/group" "$engine/rootfs/etc/"
	tar -C "$engine/rootfs" -c . >"$engine/base.tar"
	changes=(-c 'LABEL a=b')
	[ ! -s "$dir/user" ] || changes=(-c "USER $(cat "$dir/user")")
	pm import -q "${changes[@]}" "$engine/base.tar" "image${dir#*/}" >/dev/null
	images+=("image${dir#*/}")
done
pm save -q -m -o "$engine/images.tar" "${images[@]}"
chmod 644 "$engine/images.tar"
rl load -q -i "$engine/images.tar" >/dev/null
docker_start plain
docker_start remap --userns-remap=br-test:br-test
docker_start rootless
for name in plain remap rootless; do
	docker_of "$name" load -q -i "$engine/images.tar" >/dev/null
done
printf '{"userns-remap": "br-test:br-test"}\n' >remap.json
printf '{}\n' >plain.json

# What a container tries, a line for each directory: list, enter, create, delete; read, write of the file.
# shellcheck disable=SC2016
probe='
for s in a00 a01 a02 a03 a04 a05 a06 a07 a08 a09 a10 a11 a12 a13 a14 a15; do
	d=/m/$s
	s="$s "
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
fresh() {
	[ ! -e "$1" ] || { chattr -R -i "$1" && rm -rf "$1" "$1.more"; }
	bash tree.sh "$1" && bash attributes.sh "$1"
}

# ---- what we say ----

fresh tree
n=0
while IFS='|' read -r kind runtime image words; do
	n=$((n + 1))
	echo "$(run_words "$kind" "$runtime") --name c$n --rm --network none ${words//@T/$work/tree} localhost/$image" >"line.$n"
	case $kind in
	plain) echo --engine docker --engine-version 20.10 --daemon-config plain.json ;;
	remap) echo --engine docker --engine-version 20.10 --daemon-config remap.json ;;
	rootless) echo --engine docker-rootless --engine-version 20.10 --engine-user br-test ;;
	podman) echo --engine podman --engine-version 4.3 ;;
	rpodman) echo --engine podman-rootless --engine-version 4.3 --engine-user br-test ;;
	esac >"options.$n"
done <cases
export DOCKER_HOST=unix://$work/none CONTAINER_HOST=unix://$work/none
for i in $(seq "$n"); do
	# shellcheck disable=SC2046 # words
	python3 "$BR_TOP/tests/e2e/lib/predict.py" "line.$i" tree /m --kind run-line --image-archive "$engine/images.tar" $(cat "options.$i") >"said.$i"
done &
saying=$!
unset CONTAINER_HOST

# ---- what they can do ----

i=0
while IFS='|' read -r -u 9 kind runtime image words; do
	i=$((i + 1))
	fresh tried
	case $kind in
	podman) run=(pm) ;;
	rpodman) run=(rl) ;;
	*) run=(docker_of "$kind") ;;
	esac
	case $kind:$runtime in
	*podman:crun) run+=(--runtime crun run --cgroups=disabled) ;;
	*) run+=(run) ;;
	esac
	# shellcheck disable=SC2086 # words
	"${run[@]}" --rm --network none ${words//@T/$work/tried} "localhost/$image" sh -c "$probe" >"seen.$i" 2>see.err </dev/null ||
		[ "$(wc -l <"seen.$i")" = 16 ] || echo "refused $(tail -n 1 see.err)" >"seen.$i"
done 9<cases
wait "$saying"
chattr -R -i tree tried

# ---- the two ----

# In a sticky directory who may delete is the affair of BR105, of which explain says nothing.
dim=()
for dir in tree/*; do
	[ ! -k "$dir" ] || dim+=(-e "s/^${dir#tree/} \\(...\\)./${dir#tree/} \\1?/")
done
short() { sed -e 's/^refused .*/refused/' -e "s/^$i //" -e 's/^refused .*/refused/' "${dim[@]}" "$1" | sort; }
bad=0 refused=0
for i in $(seq "$n"); do
	short "seen.$i" >seen.one
	short "said.$i" >said.one
	! grep -q refused seen.one || refused=$((refused + 1))
	if [ -s seen.one ] && cmp -s seen.one said.one; then continue; fi
	bad=$((bad + 1))
	echo "$i: $(sed -n "${i}p" cases) (< the container, > bindright):" >&2
	diff seen.one said.one >&2 || true
	grep -h refused "seen.$i" "said.$i" >&2 || true
done
[ $bad = 0 ] || die "$bad of $n combinations disagree (BR_SEED=$BR_SEED BR_ENGINE_CASES=$n)"
[ $((refused * 2)) -lt "$n" ] || die "too many did not start: $refused of $n"
echo "agreed: $n combinations, $refused refused"
