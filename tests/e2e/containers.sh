#!/usr/bin/env bash
# Containers that engines have: who they are before they run and while they do is what they say themselves, and what they may do is what they can.
# time limit: 900
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
# shellcheck source=tests/e2e/lib/docker.sh
. "$BR_TOP/tests/e2e/lib/docker.sh"

app_accounts
app_images plain
docker_start_all
private_line subuid containers:1000000:200000
private_line subgid containers:1000000:200000
serve_root
serve_rootless
printf '{"userns-remap": "br-test:br-test"}\n' >remap.json

# engine KIND: its client in `client`, how we find it in `find`.
engine_of() {
	local none=unix://$work/none
	case $1 in
	podman)
		client=(pm)
		find=(env "CONTAINER_HOST=unix://$engine/podman.sock" "DOCKER_HOST=$none")
		;;
	rpodman)
		client=(rl)
		find=(env "CONTAINER_HOST=unix:///run/user/$rootless_id/podman.sock" "DOCKER_HOST=$none")
		;;
	*)
		client=(docker_of "$1")
		find=(env "CONTAINER_HOST=$none" "DOCKER_HOST=unix://$engine/docker-$1/docker.sock")
		;;
	esac
	more=()
	[ "$1" != rpodman ] || more=(--engine podman-rootless --engine-user br-test)
	[ "$1" != rootless ] || more=(--engine docker-rootless --engine-user br-test)
	[ "$1" != remap ] || more=(--daemon-config remap.json)
}

# What we say: "UID GID GROUPS | HOST-UID:GID HOST-GROUPS | CAPABILITIES | UMASK | targets".
# shellcheck disable=SC2016
told='
import json, sys
box = json.load(sys.stdin)["containers"][0]
who = box["identity"]
if who["confidence"] == "unknown":
    sys.exit("unknown: %s" % who)
print(who["uid"], who["gid"], *sorted(set([who["gid"], *who["groups"]])), "|",
      "%d:%d" % (who["host_uid"], who["host_gid"]), *sorted(set([who["host_gid"], *who["host_groups"]])), "|",
      *sorted(who["capabilities"]), "|", who["umask"], "|", *sorted("%s=%s" % (m["target"], "ro" if m["read_only"] else "rw") for m in box["mounts"]))
'
say() {
	status=0
	"${find[@]}" "$BINDRIGHT" check --format json "${more[@]}" --container "$1" >"$out" 2>"$err" || status=$?
	[ $status -le 1 ] || { cat "$err" >&2; return 1; }
	python3 -c "$told" <"$out"
}
# What /proc says of its process: "HOST-UID:GID".
seen() { awk '$1 == "Uid:" { u = $5 } $1 == "Gid:" { g = $5 } END { print u ":" g }' "/proc/$1/status"; }

agreed=0
# both KIND OPTIONS...: created, then running; the same both times, and what it can do.
both() {
	local kind=$1 before after pid can
	shift
	engine_of "$kind"
	rm -rf data
	mkdir data
	chown "${owner:-0:0}" data
	chmod "${mode:-755}" data
	"${client[@]}" create --name box --network none -v "$work/data:/data" "$@" sleep 1000 >/dev/null 2>"$err" || die "create $*: $(cat "$err")"
	say box >said || die "$kind $*: not known before it runs"
	before=$(cat said)
	"${client[@]}" start box >/dev/null
	pid=$("${client[@]}" inspect --format '{{.State.Pid}}' box)
	# It has started when the runtime lets it go; it has lost what the program is not to have when that is run.
	until_ready "$pid" grep -qx sleep "/proc/$pid/comm" || die "$kind $*: it does not run"
	say box >said || die "$kind $*: not known while it runs"
	after=$(cat said)
	[ "$before" = "$after" ] || die "$kind $*: before it is '$before', and then '$after'"
	grep -q '"from": "process"' "$out" || die "$kind $*: the process was not asked"
	[ "$(seen "$pid")" = "$(awk -F' [|] ' '{ split($2, ids, " "); print ids[1] }' <<<"$after")" ] ||
		die "$kind $*: the process is $(seen "$pid"), not $after"
	can=0
	"${client[@]}" exec box sh -c ': >/data/made' 2>/dev/null || can=1
	[ $can = "$status" ] || { cat "$out" >&2; die "$kind $*: writing ends with $can, and we say $status"; }
	[ $can = 0 ] || says 'runs now'
	"${client[@]}" kill box >/dev/null
	away "${client[@]}" rm -f box
	agreed=$((agreed + 1))
}

for kind in plain remap rootless podman rpodman; do
	image=localhost/image
	both "$kind" "$image"
	both "$kind" localhost/imageapp
	both "$kind" -u app "$image"
	both "$kind" -u 1234 --group-add 44 --group-add extra "$image"
	mode=777 both "$kind" --cap-drop CHOWN --cap-add SYS_TIME "$image"
	mode=770 owner=0:2001 both "$kind" -u 1005:2001 "$image"
	owner=101001:101002 both "$kind" -u 1001 "$image"
	# Docker wants capabilities here that nobody has.
	[[ $kind != *podman ]] || both "$kind" --privileged "$image"
done
for kind in podman rpodman; do
	both $kind -u 1234 --cap-add DAC_OVERRIDE localhost/image
	mode=777 both $kind --umask 0007 localhost/image
	both $kind --userns auto:size=3000 -u app localhost/image
done
owner=2001:2001 both rpodman --userns keep-id localhost/image
owner=2001:2001 both rpodman --userns keep-id -u app localhost/image
owner=2001:2001 both rpodman --userns keep-id:uid=1001,gid=1002 localhost/imageapp
both rpodman --userns nomap localhost/image
both podman --uidmap 0:100000:65536 --gidmap 0:200000:65536 localhost/image
both remap --userns host localhost/image

# A pod's user namespace is its containers'.
engine_of rpodman
rl pod create --name pod --userns keep-id >/dev/null
owner=2001:2001 both rpodman --pod pod localhost/image
owner=2001:2001 both rpodman --pod pod -u app localhost/image
# And so a run line's that would join it.
line() { # STATUS WORDS...
	expect "$1" "${find[@]}" "$BINDRIGHT" check "${more[@]}" --format json --image-archive "$engine/images.tar" -- podman run -v "$work/data:/data" "${@:2}"
	python3 -c "$told" <"$out"
}
joins() {
	"${client[@]}" create --name box --network none -v "$work/data:/data" "$@" sleep 1000 >/dev/null
	say box >said
	line "$status" "$@" >lined
	diff said lined >&2 || die "in a pod: $*"
	away "${client[@]}" rm box
}
chown 2001:2001 data
joins --pod pod localhost/image
joins --pod pod -u app localhost/image
joins --pod pod localhost/imageapp
away rl pod rm -f pod
rl pod create --name pod --share net --userns keep-id >/dev/null
joins --pod pod localhost/image
away rl pod rm -f pod
rl pod create --name pod --infra=false --share= >/dev/null
joins --pod pod localhost/image
away rl pod rm -f pod
rl pod create --name pod >/dev/null
joins --pod pod -u app localhost/image
away rl pod rm -f pod
line 1 --pod pod localhost/image >/dev/null 2>&1 || true
grep -q 'whose user namespace counts' "$out" || die 'a pod that is not there'

# ---- mounts ----

mkdir data2 data3
engine_of plain
docker_of plain volume create -o type=none -o o=bind -o "device=$work/data3" vol >/dev/null
docker_of plain create --name mm -v "$work/data:/a:ro" -v vol:/b -v named:/n --tmpfs /t --mount "type=bind,src=$work/data2,dst=/c" -u 1001 localhost/image true >/dev/null
expect 1 "${find[@]}" "$BINDRIGHT" check --container mm
says "$work/data2 -> /c"
says "$work/data3 -> /b"
says 'cannot write'
expect 0 "${find[@]}" "$BINDRIGHT" inspect --container mm --format json
python3 - "$out" "$work" <<'END' || die "the mounts of a container"
import json, sys
box = json.load(open(sys.argv[1]))["containers"][0]
got = sorted((m["target"], m["type"], m["source"], m["read_only"]) for m in box["mounts"])
work = sys.argv[2]
want = [("/a", "bind", work + "/data", True), ("/b", "volume-bind", work + "/data3", False), ("/c", "bind", work + "/data2", False)]
got = [m for m in got if m[1] in ("bind", "volume-bind")]
sys.exit(0 if got == want else str(got))
END
# What fix does holds: it is written then, and a fix can be undone.
expect 0 "${find[@]}" "$BINDRIGHT" fix --yes --container mm
expect 0 "${find[@]}" "$BINDRIGHT" check --container mm
docker_of plain rm mm >/dev/null
engine_of podman
pm create -q --name u -u app -v "$work/data:/a:U" -v "$work/data2:/b:ro,U" -v named:/n localhost/image true >/dev/null
expect 0 "${find[@]}" "$BINDRIGHT" check --container u
away pm rm u
pm create -q --name u -u app -v "$work/data:/a" localhost/image true >/dev/null
expect 1 "${find[@]}" "$BINDRIGHT" check --container u
expect 0 "${find[@]}" "$BINDRIGHT" explain u:/a --container u
away pm rm u

# ---- those that a run line would make again under auto ----

owner=0:0
pm create -q --name again --userns auto -v "$work/data:/data" localhost/image sleep 100 >/dev/null
line=(podman run --name again --userns auto -v "$work/data:/data" localhost/image)
expect 1 env CONTAINER_HOST="unix://$work/none" "$BINDRIGHT" check --image-archive "$engine/images.tar" -- "${line[@]}"
says 'engine chooses the IDs of the host'
chown -R 1000000:1000000 data
expect 0 "${find[@]}" "$BINDRIGHT" check -- "${line[@]}"
expect 0 "${find[@]}" "$BINDRIGHT" inspect --origins -- "${line[@]}"
says 'existing container'
pm start again >/dev/null
expect 0 "${find[@]}" "$BINDRIGHT" check -- "${line[@]}"
chown 0:0 data
expect 1 "${find[@]}" "$BINDRIGHT" check -- "${line[@]}"
pm kill again >/dev/null
away pm rm -f again
expect 1 "${find[@]}" "$BINDRIGHT" check -- "${line[@]}"
says 'engine chooses the IDs of the host'

# ---- errors ----

engine_of plain
expect 2 "${find[@]}" "$BINDRIGHT" check --container nobody
says "has no container 'nobody'"
expect 2 "${find[@]}" "$BINDRIGHT" check --container '../images'
says 'is no name of a container'
expect 2 env DOCKER_HOST="unix://$work/none" CONTAINER_HOST="unix://$work/none" "$BINDRIGHT" check --container box
says 'no engine here'
echo "agreed: $agreed containers, before they ran and while they did"
