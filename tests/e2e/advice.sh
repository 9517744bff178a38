#!/usr/bin/env bash
# Every kind of advice, made as it is written, on real engines: before it the container cannot, after it it can, and nothing on the host was changed.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"

rootfs_tar
rl import -q "$engine/base.tar" image >/dev/null
pm import -q "$engine/base.tar" image >/dev/null
"$docker" import "$engine/base.tar" localhost/image:latest >/dev/null
"$docker" save -o "$engine/images.tar" localhost/image:latest
private_line passwd 'br-other:x:3000:3000::/:/bin/sh'
private_line group 'br-other:x:3000:'
archive=(--image-archive "$engine/images.tar")

data() { # OWNER MODE
	rm -rf data && mkdir -p data/sub && echo text | tee data/file >data/sub/file
	chown -R "$1" data && chmod -R "$2" data
}
# engine WORDS: the command that a script calls by that name.
engine() {
	case $1 in
	docker) "$docker" "${@:2}" ;;
	podman) pm "${@:2}" ;;
	rootless) rl "${@:2}" ;;
	esac
}
n=0 runtime=
# advised KIND ENGINE COMMAND OPTIONS-OF-OURS -- WORDS OF THE RUN LINE, without the source and what it does
advised() {
	local kind=$1 by=$2 what=$3 ours=() words
	shift 3
	while [ "$1" != -- ]; do ours+=("$1") && shift; done
	shift
	local name=${by/rootless/podman}
	printf '%s run --rm --network none %s -v %s:/d localhost/image sh -c "%s"\n' "${name/%podman/podman$runtime}" "$*" "$work/data" "$what" >run.sh
	read -r -a words < <(sed 's/ sh -c .*//; s/^[a-z]* //' run.sh)
	engine "$by" "${words[@]}" sh -c "$what" >/dev/null 2>&1 && die "$kind: it works before"
	snapshot data >before
	expect 1 "$BINDRIGHT" plan --format json "${archive[@]}" "${ours[@]}" -f run.sh
	python3 - "$kind" "$out" <<'END' || die "no edit of kind $kind: $(cat "$out")"
import json, sys
with open(sys.argv[2]) as f:
    edits = [a["edit"] for a in json.load(f)["plan"]["advice"] if a["kind"] == sys.argv[1]]
edit, = [e for e in edits if e]
with open("run.sh") as f:
    text = f.read()
at = edit["column"] - 1
assert edit["file"] == "run.sh" and edit["line"] == 1 and text[at:].startswith(edit["replace"])
with open("run.sh", "w") as f:
    f.write(text[:at] + edit["with"] + text[at + len(edit["replace"]):])
END
	expect 0 "$BINDRIGHT" check "${archive[@]}" "${ours[@]}" -f run.sh
	read -r -a words < <(sed 's/ sh -c .*//; s/^[a-z]* //' run.sh)
	engine "$by" "${words[@]}" sh -c "$what" >see 2>&1 || die "$kind: it does not work: $(cat run.sh see)"
	snapshot data | diff before - || die "$kind: the host was changed"
	n=$((n + 1))
}
writes='ls /d /d/sub >/dev/null; cat /d/sub/file >/dev/null && echo -n >>/d/file && mkdir /d/sub/new && rm -r /d/sub/new'
reads='ls /d/sub >/dev/null && cat /d/sub/file >/dev/null && grep -q /d.ro, /proc/self/mountinfo'

data 3000:3000 u=rwX,go=
advised user docker "$writes" -- -u 1001:1001
advised user podman "$writes" --engine podman --engine-version 4.3 -- -u 1001:1001
data 3000:5000 u=rwX,g=rwX,o=
advised group-add docker "$writes" -- -u 1001:1001
advised group-add podman "$writes" --engine podman --engine-version 4.3 -- -u 1001:1001
data 3000:3000 u=rwX,go=rX
ln -s busybox "$engine/rootfs/bin/grep"
tar -C "$engine/rootfs" -c . | "$docker" import - localhost/image:latest >/dev/null
advised read-only docker "$reads" -- -u 1001:1001
# Root's Podman maps the mount's IDs, with crun; with the runc of the settings that is no advice.
data 1001:1001 u=rwX,go=
printf 'podman run --uidmap 0:100000:65536 -u 1001:1001 -v %s:/d localhost/image\n' "$work/data" >run.sh
expect 1 "$BINDRIGHT" plan --format json "${archive[@]}" --engine podman --engine-version 4.3 -f run.sh
says_not '"kind": "idmap"'
runtime=' --runtime crun'
advised idmap podman "$writes" --engine podman --engine-version 4.3 -- --cgroups=disabled --uidmap 0:100000:65536 -u 1001:1001
advised idmap podman "$writes" --engine podman --engine-version 4.3 -- --cgroups=disabled --uidmap 0:100000:65536 --gidmap 0:200000:65536 -u 1001:1001
runtime=
# A user's Podman keeps him as whom the container runs as.
data 2001:2001 u=rwX,go=
advised userns rootless "$writes" --engine podman-rootless --engine-version 4.3 --engine-user br-test -- -u 1001:1001
advised userns rootless "$writes" --engine podman-rootless --engine-version 4.3 --engine-user br-test -- --userns keep-id -u 1001:1001
echo "agreed: $n edits"
[ "$n" = 9 ]
