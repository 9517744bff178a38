#!/usr/bin/env bash
# No false errors: projects as people write them, whose host trees an engine made. bindright says what will fail; then the containers run for real, use
# their mounts, and the two have to agree for each mount.
#
# tests/projects/NAME has compose.yaml, Dockerfiles where it builds, and tree.sh: each function case_WHAT in it makes one host tree. Nothing is expected in
# writing: what is right is what the containers could do. tests/projects/images says whom images run as, standin.sh is what runs under their names.
# BR_PROJECT="NAME…" runs only these, BR_SHOW=1 shows each answer.
# time limit: 600
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/rootfs.sh
. "$BR_TOP/tests/e2e/lib/rootfs.sh"

command -v jq >/dev/null || skip "needs jq"
compose=
for program in "$BR_TOP"/.build/compose/*/docker-compose; do
	[ ! -x "$program" ] || compose=$program
done
[ "$compose" ] || skip "needs tests/compose/fetch.sh .build/compose (make deps-ci)"
unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_ENV_FILES COMPOSE_PROJECT_NAME
projects=$BR_TOP/tests/projects

# ---- the images ----

# One root file system, with passwd and group of each image put into a copy of its tar.
root=$engine/stand
accounts_rootfs "$root"
for applet in tr su stat rmdir find xargs stat awk sort head tail dirname basename seq dd tar; do ln -sf busybox "$root/bin/$applet"; done
# What Dockerfiles call to install things: nothing to install here.
for stub in pip pip3 apt-get apk npm yarn pnpm go poetry uv; do printf '#!/bin/sh\n' >"$root/bin/$stub" && chmod 755 "$root/bin/$stub"; done
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
install -m 755 "$projects/standin.sh" "$root/standin"
declare -A drops gives known

# image NAME USER ACCOUNTS DROPS GIVES: accounts are NAME:UID:GID[:HOME], divided by commas; "-" is nothing.
image() {
	local account user uid gid home options=()
	printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	for account in ${3//,/ }; do
		[ "$account" != - ] || break
		IFS=: read -r user uid gid home <<<"$account"
		printf '%s:x:%s:%s::%s:/bin/sh\n' "$user" "$uid" "$gid" "${home:-/}" >>"$root/etc/passwd"
		[ "$gid" = 0 ] || printf '%s:x:%s:\n' "$user" "$gid" >>"$root/etc/group"
	done
	[ "$2" = - ] || options=(--change "USER $2")
	tar -C "$root" -c . | "$docker" import "${options[@]}" - "$1" >/dev/null
}
while read -r name user accounts drop give; do
	case $name in '' | '#'*) continue ;; esac
	known[$name]=yes
	[ "$drop" = - ] || drops[$name]=$drop
	[ "$give" = - ] || gives[$name]=$give
	if [ -z "${BR_PROJECT:-}" ] || (cd "$projects" && grep -rqF -- "${name%%:*}" $BR_PROJECT); then image "$name" "$user" "$accounts"; fi
done <"$projects/images"

# ---- a project ----

# services: fill the lists of this project from compose.yaml.
services() {
	local line
	names=()
	"$compose" --project-directory . -p "$project" config --format json >../config.json 2>../config.err || die "$project: $(cat ../config.err)"
	while read -r line; do
		eval "set -- $line"
		names+=("$1")
		service_image[$1]=$2 service_tries[$1]=$7 service_words[$1]=$line
		service_drops[$1]=${drops[$2]:-} service_gives[$1]=${gives[$2]:-}
		[ -z "$6" ] || service_drops[$1]=
		if [ "$3" ]; then
			[ "${built[$2]:-}" ] || build "$2" "$3" "$4" "$5"
			built[$2]=yes
		elif [ -z "${known[$2]:-}" ]; then
			die "$project: tests/projects/images does not know $2"
		fi
	done < <(jq -r -f "$projects/run.jq" ../config.json)
}
# build IMAGE CONTEXT DOCKERFILE TARGET
build() {
	local options=()
	[ -z "$4" ] || options=(--target "$4")
	"$docker" build --network none -q -t "$1" -f "$2/$3" "${options[@]}" "$2" >../build 2>&1 || die "$project: $(cat ../build)"
}

# engine SERVICE [COMMAND]: what the service's container does, with all its mounts; without a command it tries them.
engine() {
	local name=$1 command=("${@:2}") words=()
	eval "words=(${service_words[$name]})"
	"$docker" run --rm --network none --env DROPS="${service_drops[$name]}" --env GIVES="${service_gives[$name]}" \
		--env MOUNTS="${service_tries[$name]}" --entrypoint /standin "${words[@]:7}" "${service_image[$name]}" "${command[@]}"
}
# as USER COMMAND...: somebody of the host.
as() {
	local who=$1
	shift
	setpriv --reuid="$who" --regid="$who" --clear-groups env HOME=/ "$@"
}

# said HOST: the errors that bindright reports, "SERVICE TARGET CODE".
said() {
	local got=0
	DOCKER_HOST=$1 "$BINDRIGHT" check -p "$project" --format json >../report.json 2>../report.err || got=$?
	[ $got -le 1 ] || die "$project: check: $got: $(cat ../report.err)"
	jq -r '.findings[] | select(.severity == "error") | "\(.container) \(.target // "-") \(.code) \(.message)"' ../report.json | sort -u
}
# really: "SERVICE TARGET ok|failed WHY" for each mount.
really() {
	local name target
	for name in "${names[@]}"; do
		engine "$name" >../answer 2>../answer.err || true
		if grep -q '^done$' ../answer; then
			sed -nE "s|^(ok\|failed) ([^ ]*)|$name \2 \1|p" ../answer
		else
			for target in ${service_tries[$name]}; do
				echo "$name ${target#*:} stopped $(tr '\n' ' ' <../answer.err)"
			done
		fi
	done
}
# What somebody said and what was, side by side: lines of "false", "missed" and "agreed".
compare() {
	awk -v what="$project $case $3" 'FILENAME == ARGV[1] { if ($3 != "BR303") { said[$1 " " $2] = said[$1 " " $2] " " $0 } else { unknown[$1] = 1 } next }
		unknown[$1] { print "unknown " what ": " $1 " " $2; next }
		$3 == "stopped" { stopped[$1] = stopped[$1] said[$1 " " $2]; why[$1] = $0; next }
		{ mount = $1 " " $2; seen[mount] = 1; bad = $3 != "ok" }
		bad && said[mount] == "" { print "missed " what ": " $0; next }
		!bad && said[mount] != "" { print "false " what ": " said[mount]; next }
		{ print (bad ? "failed " : "fits ") what ": " mount }
		END {
			for (name in stopped) { print (stopped[name] == "" ? "missed " : "failed ") what ": " why[name] }
			for (mount in said) { split(mount, part, " "); if (!(mount in seen) && !(part[1] in stopped)) { print "false " what ": " said[mount] } }
		}' "$1" "$2"
}

declare -A built service_image service_tries service_words service_drops service_gives
one_case() {
	case=${1#case_}
	mkdir -p "$work/$project-$case/$project"
	cp -r "$projects/$project/." "$work/$project-$case/$project"
	rm -f "$work/$project-$case/$project/tree.sh"
	chown -R 1000:1000 "$work/$project-$case"
	cd "$work/$project-$case/$project"
	services
	"$1" >../tree.out 2>&1 || die "$project $case: $(cat ../tree.out)"
	said "unix://$engine/none" >../alone
	said "$DOCKER_HOST" >../asked
	really >../really
	compare ../alone ../really "without the engine" >>"$work/$project.result"
	compare ../asked ../really "with the engine" >>"$work/$project.result"
	[ -z "${BR_SHOW:-}" ] || tail -n +1 ../alone ../asked ../really
	cd "$work"
}
one_project() {
	project=$1
	local name
	# shellcheck disable=SC1090
	. "$projects/$project/tree.sh"
	for name in $(declare -F | awk '$3 ~ /^case_/ { print $3 }'); do
		one_case "$name"
	done
}

# ---- all of them, two at a time ----

chosen=()
for dir in "$projects"/*/; do
	name=$(basename "$dir")
	case " ${BR_PROJECT:-$name} " in *" $name "*) chosen+=("$name") ;; esac
done
half() {
	local i failed=0
	for ((i = $1; i < ${#chosen[@]}; i += 2)); do
		set +e
		(set -e && one_project "${chosen[i]}")
		[ $? = 0 ] || failed=1
	done
	return $failed
}
# Not behind "||", where set -e would not hold in them.
half 0 &
first=$!
half 1 &
run=0
wait $! || run=1
wait $first || run=1
cat "$work"/*.result >"$work/results"
grep -E '^(false|missed|unknown)' "$work/results" || true
count() { grep -c "^$1" "$work/results" || true; }
echo "${#chosen[@]} projects, $(count '') answers: $(count fits) fit, $(count failed) failed as foreseen, $(count unknown) of unknown users," \
	"$(count false) false errors, $(count missed) missed"
[ $run = 0 ] || die "a project could not be run"
[ "$(count false)" = 0 ] || die "false errors"
[ "$(count missed)" = 0 ] || die "missed errors"
[ "${BR_PROJECT:-}" ] || [ "$(ls -d "$projects"/*/ | wc -l)" -ge 40 ] || die "fewer than 40 projects"
