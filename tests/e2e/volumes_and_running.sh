#!/usr/bin/env bash
# What the engine does to a volume's directory, and that a container runs, is said before it hurts.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

# An image whose /data is nonroot's, 0750, with a file.
mkdir -p "$engine/build/data" && echo seed >"$engine/build/data/seed"
chown -R 1001:1001 "$engine/build/data" && chmod 750 "$engine/build/data"
tar -C "$engine/build" -c . >"$engine/data.tar"
id=$("$docker" create --network none busybox true)
"$docker" cp - "$id:/" <"$engine/data.tar" >/dev/null
"$docker" commit "$id" seeded >/dev/null

# What check says of a volume on ./dir, and what the engine makes of it.
serial=0
says_and_does() {
	local want=$1 target=$2 nocopy=$3 said=no did=no
	serial=$((serial + 1))
	cat >compose.yaml <<YAML
services:
  app:
    image: seeded
    user: "1002:1002"
    volumes: [{type: volume, source: kept, target: $target, volume: {nocopy: ${nocopy:-false}}}]
volumes:
  kept:
    driver_opts: {type: none, o: bind, device: $work/dir}
YAML
	"$BINDRIGHT" check >"$out" 2>"$err" || true
	! grep -q BR211 "$out" || said=yes
	stat -c '%u:%g %a' dir >before
	"$docker" volume create --driver local --opt type=none --opt o=bind --opt "device=$work/dir" "v$serial" >/dev/null
	"$docker" run --rm --network none --mount "type=volume,source=v$serial,target=$target${nocopy:+,volume-nocopy=true}" seeded true
	stat -c '%u:%g %a' dir | cmp -s before - || did=yes
	[ "$said $did" = "$want" ] || die "$target $nocopy: said $said, did $did, not $want"
}
fresh() { rm -rf dir && mkdir dir && chown 1002:1002 dir && chmod 700 dir; }
fresh
says_and_does 'yes yes' /data ''
[ "$(stat -c '%u:%g %a' dir) $(cat dir/seed)" = '1001:1001 750 seed' ] || die "it did something else"
# Now there is something in it.
chown 1002:1002 dir && chmod 700 dir
says_and_does 'no no' /data ''
fresh
says_and_does 'no no' /data true
# Nothing stands there in the image: it is said all the same, for the image is not known.
says_and_does 'yes no' /elsewhere ''

# It runs: said where something is to change, not where all fits, not of other projects or services.
rm -rf dir && mkdir dir && chown 1000:1000 dir
compose_app() {
	printf 'name: proj\nservices:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes: ["./dir:/data%s"]\n' "$1" >compose.yaml
}
runs() { "$docker" run -d --network none --label "com.docker.compose.project=$1" --label "com.docker.compose.service=$2" busybox sleep 1000; }
compose_app ''
others="$(runs proj web) $(runs other app)"
expect 1 "$BINDRIGHT" check
says_not BR210
app=$(runs proj app)
expect 1 "$BINDRIGHT" check
says BR210
expect 1 "$BINDRIGHT" plan
says "'app' runs now"
compose_app :ro
expect 0 "$BINDRIGHT" check
says_not BR210
compose_app ''
"$docker" stop -t 0 "$app" >/dev/null
expect 1 "$BINDRIGHT" check
says_not BR210
# shellcheck disable=SC2086 # two words
"$docker" rm -f $others "$app" >/dev/null
