# Shared by the cases of tests/hostile: one script for each rule, whoever tries to break it is in the script.
# shellcheck shell=bash
#
# A script runs once for each file system of HOSTILE_FS (ext4 and tmpfs; also xfs, btrfs, overlay), or once where it says
# once=1 before it sources this. $T/work is on that file system and the working directory.
#
#   want STATUS COMMAND...   it ends with this status (any: 0 or 1, it fits or not; bad: 1 or 3, it does not fit or failed); what it said is in $T/out
#   says TEXT, silent TEXT   the last one said this, did not say this
#   owned UID:GID:MODE FILE..., belong UID FILE...
#   keep FILE...; kept       nothing about these has changed since (they may be directories)
#   eventually COMMAND...    wait until it succeeds, a minute at most
#   end_server               that of the process $server, which may have ended by itself and be gone
#   meddled CALL:N[+~] COMMAND STATUS PROGRAM...   want, with somebody else at one of its system calls: see meddle.c

# A server of FUSE ends as soon as nothing of its mount is left, and whoever has inherited it may have reaped it then.
end_server() {
	[ -z "${server:-}" ] || kill -9 "$server" 2>/dev/null || true
	server=
}
die() {
	echo "FAILED${fs:+ on $fs}: $*" >&2
	[ ! -s "${T:-}/out" ] || sed 's/^/    /' "$T/out" >&2
	exit 1
}
skip() {
	echo "skip: $*"
	exit 77
}

if [ -z "${HOSTILE_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	for fs in ${HOSTILE_FS:-ext4 tmpfs}; do
		# A background job begins with SIGINT ignored, and one under nohup with SIGHUP, which a program has to respect.
		HOSTILE_INSIDE=$fs env --default-signal=INT,HUP,TERM unshare --mount --propagation private bash "$0" "$@" || exit
		[ -z "${once:-}" ] || break
	done
	exit 0
fi

set -eu
fs=$HOSTILE_INSIDE
here=$BR_TOP/tests/hostile
real=$(mktemp -d)
chmod 755 "$real"
T=/srv
clean_up() {
	cd /
	end_server
	awk -v top=$T/ 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r mount; do umount -l "$mount" || true; done
	chattr -R -i -a $T/work 2>/dev/null || true
	umount -l $T || true
	for loop in ${loops:-}; do losetup -d "$loop" 2>/dev/null || true; done
	rm -rf --one-file-system "$real" "$memory"
}
# Images lie where a sync costs nothing, if there is such a place with room for them (in kB).
memory=
if [ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 500000 ] 2>/dev/null; then
	memory=$(mktemp -d /dev/shm/bindright-hostile-XXXXXX) || memory=
fi
[ -n "$memory" ] || memory=$(mktemp -d)
trap clean_up EXIT

# image TYPE SIZE: a file system of its own at $T.
image() {
	truncate -s "$2" "$memory/image"
	case $1 in
	ext4) mkfs.ext4 -q -F "$memory/image" ;;
	*) "mkfs.$1" -q "$memory/image" >/dev/null ;;
	esac || skip "needs mkfs.$1"
	mount -o loop "$memory/image" $T || skip "needs loop devices and $1"
}
case $fs in
ext4) image ext4 64M ;;
xfs) image xfs 320M ;;
btrfs) image btrfs 128M ;;
tmpfs) mount -t tmpfs -o mode=755 tmpfs $T ;;
overlay)
	image ext4 64M
	mkdir -p $T/lower $T/upper $T/inner "$real/state"
	mount -t overlay overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/inner" $T || skip "needs overlayfs"
	;;
*) die "no such file system here: $fs" ;;
esac
chmod 755 $T

mkdir $T/work
mkdir -m 700 $T/state
mkdir -m 700 /var/lib/bindright 2>/dev/null || [ -d /var/lib/bindright ]
mount --bind $T/state /var/lib/bindright
echo 1 >$T/one
mount --bind $T/one /proc/sys/fs/protected_hardlinks
# Servers share fuse.py; nothing is to be left beside it.
export PYTHONDONTWRITEBYTECODE=1
export DOCKER_HOST=unix://$T/no.sock CONTAINER_HOST=unix://$T/no.sock
cp "$BINDRIGHT" $T/bindright
BINDRIGHT=$T/bindright
# The accounts of this machine decide about nothing here.
mkdir $T/etc
printf 'root:x:0:0::/root:/bin/sh\n' >$T/etc/passwd
printf 'root:x:0:\nstudents:x:7100:ann\n' >$T/etc/group
cd $T/work

bindright() { "$BINDRIGHT" "$@"; }
fix() { "$BINDRIGHT" fix --yes --sysroot $T "$@"; }
undo() { "$BINDRIGHT" undo --yes "$@"; }

want() {
	local want=$1 got=0
	shift
	"$@" >"$T/out" 2>&1 </dev/null || got=$?
	case $want:$got in
	"$got:$got" | any:[01] | bad:[13]) ;;
	*) die "exit status $got, not $want: $*" ;;
	esac
}
meddled() {
	local where=$1 command=$2 status=$3
	shift 3
	want "$status" "$BR_BUILD/tests/hostile/meddle" "$where" "$command" "$@"
}
# For meddled: kill it, and go on when whoever works for it has gone, too.
# shellcheck disable=SC2034 # used in the tests
slain="python3 $here/slay.py \$PPID"
eventually() {
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || die "in vain: $*"
		sleep 0.05
	done
}
# The words of a report stand on several lines.
words() { tr -s ' \n' '  ' <"$T/out"; }
says() {
	local text
	for text; do words | grep -qF -- "$text" || die "does not say: $text"; done
}
silent() { if words | grep -qF -- "$1"; then die "says: $1"; fi; }
owned() {
	local want=$1 file
	shift
	for file; do
		[ "$(stat -c %u:%g:%a "$file")" = "$want" ] || die "$file is $(stat -c %u:%g:%a "$file"), not $want"
	done
}
# belong UID FILE...: its group and mode may be any.
belong() {
	local want=$1 file
	shift
	for file; do
		[ "$(stat -c %u "$file")" = "$want" ] || die "$file belongs to $(stat -c %u "$file"), not $want"
	done
}
keep() {
	kept_files=("$@")
	python3 "$here/facts.py" "$@" >"$T/kept"
}
kept() {
	python3 "$here/facts.py" "${kept_files[@]}" >"$T/now"
	diff "$T/kept" "$T/now" >&2 || die "somebody changed ${kept_files[*]}"
}
# As somebody else: as UID[:GID] COMMAND...
as() {
	local who=$1
	shift
	setpriv --reuid "${who%%:*}" --regid "${who##*:}" --clear-groups -- "$@" 2>/dev/null
}
may() { as "$@" || die "may not: $*"; }
may_not() { if as "$@"; then die "may: $*"; fi; }
# compose LINES: a compose file with one service 'app' of user 1001:1001 and these lines below it.
compose() {
	printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n' >compose.yaml
	printf '    %s\n' "$@" >>compose.yaml
}
# tree OWNER FILE...: files (a/ for a directory) below data, which become OWNER's.
tree() {
	local owner=$1 file
	shift
	mkdir -p data
	for file; do
		case $file in
		*/) mkdir -p "data/$file" ;;
		*)
			mkdir -p "$(dirname "data/$file")"
			echo "$file" >"data/$file"
			;;
		esac
	done
	chown -R "$owner:$owner" data
	compose 'volumes: ["./data:/data"]'
}
