#!/usr/bin/env bash
# Podman's settings: what containers.conf, its drop-ins, the user's own ones and the environment make of a container is what containers are.
# time limit: 600
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"

app_accounts
# Here root has no group but his own.
sed -i /^media:/d "$engine/rootfs/etc/group"
app_images plain
# br-test must be able to run it.
cp "$BINDRIGHT" "$engine/bindright"
system=/etc/containers/containers.conf user=$pod/home/.config/containers
cp "$system" "$engine/system.conf"
as_rootless mkdir -p "$user"
mkdir made d e f
chmod 777 made

reset() {
	cp "$engine/system.conf" "$system"
	rm -rf "$system.d" "${user:?}"/* "$pod/home/other"
	environment=(A=1)
}
# setting FILE LINE...: lines of the table [containers].
setting() {
	local file=$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '[containers]\n' >"$file"
	printf '%s\n' "$@" >>"$file"
	chmod -R a+rX "$(dirname "$file")"
}
# A key of the system-wide file, whose table is there already.
system_setting() { sed -i "s|^\\[containers\\]|&\\n$1|" "$system"; }

# What a container is: "UID GID GROUPS | CAPABILITIES | OWNER:GROUP MODE" of what it makes, or "refused".
# shellcheck disable=SC2016
probe='echo "$(id -u) $(id -g) $(id -G)" "| $(while read -r k v; do [ $k != CapEff: ] || echo $v; done </proc/self/status) |"; : >/m/made'
see() {
	local line groups
	rm -f made/made
	if ! line=$("$@" sh -c "$probe" 2>"$engine/see.err"); then
		echo "refused"
		return
	fi
	read -r uid gid groups <<<"${line%%|*}"
	# shellcheck disable=SC2086
	groups=$(printf '%s\n' "$gid" $groups | sort -nu | tr '\n' ' ')
	echo "$uid $gid $groups|${line#*|} $(stat -c '%u:%g %a' made/made)"
}
# What we say it is.
said() {
	local status=0
	"$@" >"$out" 2>"$err" || status=$?
	if [ $status -gt 1 ]; then
		echo refused
		return
	fi
	python3 -c '
import json, sys
who = json.load(sys.stdin)["containers"][0]["identity"]
if who["confidence"] == "unknown":
    print("refused")
else:
    caps = sum(1 << n for n, name in enumerate(sys.argv[1].split()) if name in who["capabilities"])
    print(who["uid"], who["gid"], *sorted(set([who["gid"], *who["groups"]])), "|", "%016x" % caps, "|",
          "%d:%d %o" % (who["host_uid"], who["host_gid"], 0o666 & ~who["umask"]))
' "$names" <"$out"
}
names="CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP
		CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER
		CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE
		CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP
		CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF
		CAP_CHECKPOINT_RESTORE"

agreed=0 refused=0
# same WHAT root|br-test WORDS...: a container with these words of `run` (the image among them) is who we say.
same() {
	local what=$1 who=$2 seen we run=(run --rm --network none) line runtime=()
	shift 2
	if [ "$1" = crun ]; then
		shift
		runtime=(--runtime crun)
		run+=(--cgroups=disabled)
	fi
	line=(podman "${runtime[@]}" "${run[@]}" -v "$work/made:/m" "$@")
	if [ "$who" = root ]; then
		we=$(said env "${environment[@]}" CONTAINER_HOST="unix://$work/none" "$engine/bindright" check --format json \
			--engine podman --engine-version 4.3 --image-archive "$engine/images.tar" -- "${line[@]}")
		seen=$(see env "${environment[@]}" "${line[@]}")
	else
		we=$(said as_rootless env "${environment[@]}" CONTAINER_HOST="unix://$work/none" "$engine/bindright" check --format json \
			--engine podman-rootless --engine-version 4.3 --image-archive "$engine/images.tar" -- "${line[@]}")
		line=(podman --storage-driver vfs "${line[@]:1}")
		seen=$(see as_rootless env "${environment[@]}" "${line[@]}")
	fi
	if [ "$seen" != "$we" ]; then
		cat "$engine/see.err" "$err" >&2
		die "$what: the container is '$seen', not '$we'"
	fi
	agreed=$((agreed + 1))
	[ "$seen" != refused ] || refused=$((refused + 1))
}

reset
same 'no settings' br-test localhost/image
same 'no settings, as root' root localhost/image

# ---- the user namespace ----

for mode in keep-id nomap host keep-id:uid=1001,gid=1002 private bogus; do
	environment=("PODMAN_USERNS=$mode")
	same "PODMAN_USERNS=$mode" br-test localhost/image
	reset
	setting "$user/containers.conf" "userns = \"$mode\""
	same "userns = $mode" br-test localhost/image
	reset
done
environment=(PODMAN_USERNS=keep-id)
same 'an image with a user' br-test localhost/imageapp
same '--userns goes before it' br-test --userns host localhost/image
same 'an empty --userns does not' br-test --userns= localhost/image
same '--uidmap goes before it' br-test --uidmap 0:1:5000 localhost/image
same 'root has nobody to keep' root localhost/image
reset
setting "$user/containers.conf" 'userns = "keep-id"'
same 'the setting: --userns goes before it' br-test --userns nomap localhost/image
same 'the setting: --uidmap goes before it' br-test --uidmap 0:1:5000 localhost/image
same "another user's setting" root localhost/image
environment=(PODMAN_USERNS=host)
same 'the environment goes before the setting' br-test localhost/image
reset

# ---- which files ----

system_setting 'umask = "0011"'
same 'the system-wide file' root localhost/image
same 'the system-wide file' br-test localhost/image
setting "$system.d/20-b.conf" 'umask = "0012"'
setting "$system.d/10-a.conf" 'umask = "0013"'
setting "$system.d/30-a.txt" 'umask = "0014"'
same 'its drop-ins, in order' root localhost/image
setting "$user/containers.conf" 'umask = "0070"'
same 'the own file' br-test localhost/image
setting "$user/containers.conf.d/a.conf" 'umask = "0033"'
same 'the own drop-in' br-test localhost/image
same 'not for root' root localhost/image
environment=("XDG_CONFIG_HOME=$pod/home/none")
same 'another directory' br-test localhost/image
environment=("XDG_CONFIG_HOME=$pod/home/other")
setting "$pod/home/other/containers/containers.conf" 'umask = "0071"'
same 'its file' br-test localhost/image
environment=("CONTAINERS_CONF=$engine/only.conf")
sed 's/^\[containers\]/&\numask = "0002"\ndefault_capabilities = ["CHOWN", "DAC_OVERRIDE"]/' "$engine/system.conf" >"$engine/only.conf"
chmod 644 "$engine/only.conf"
same 'one file alone' br-test localhost/image
same 'one file alone, as root' root localhost/image
environment=("CONTAINERS_CONF=$engine/missing.conf")
same 'one that is not there' root localhost/image
reset

# ---- capabilities, umask, groups ----

setting "$user/containers.conf" 'default_capabilities = [' ' "CHOWN", # owner' " 'cap_fowner'," ']'
same 'capabilities' br-test localhost/image
same 'another user' br-test localhost/imageapp
same 'one more' br-test --cap-add KILL localhost/image
same 'one more for another user' br-test --cap-add KILL localhost/imageapp
same 'one less' br-test --cap-drop CHOWN localhost/image
same 'all' br-test --privileged localhost/image
setting "$user/containers.conf" 'default_capabilities = []'
same 'none' br-test localhost/image
for word in FOO ALL; do
	setting "$user/containers.conf" "default_capabilities = [\"$word\"]"
	same "the capability $word" br-test localhost/image
done
setting "$user/containers.conf" 'umask = "077"'
same 'a umask' br-test localhost/image
same 'the option goes before it' br-test --umask 0002 localhost/image
setting "$user/containers.conf" 'umask = 7'
same 'no umask' br-test localhost/image
setting "$user/containers.conf" 'annotations = ["a=b", "run.oci.keep_original_groups=1"]'
same 'the annotation and runc' br-test localhost/image
reset

# ---- what is no file of settings ----

for text in '[containers' '[containers]\numask = 0022\n' '[containers]\numask = "0022' 'umask' '[containers]\nvolumes = "/a:/b"\n'; do
	printf '%b' "$text" >"$user/containers.conf"
	same "the file $text" br-test localhost/image
done
for text in 'userns = "keep-id"\n' 'containers.userns = "keep-id"\n' 'containers = {userns = "keep-id", umask = "0027"}\n' \
	'[containers]\nx = [[1, 2], {a = 1}]\n"userns" = """keep-id"""\n[a.b]\nuserns = "nomap"\n[[c]]\nd = 1979-05-27T07:32:00Z\n'; do
	printf '%b' "$text" >"$user/containers.conf"
	same "the file $text" br-test localhost/image
done
chmod 000 "$user/containers.conf"
chown 0:0 "$user/containers.conf"
same 'a file that he may not read' br-test localhost/image
# Nor is it read for him by root.
expect 2 "$BINDRIGHT" id 0 --engine podman-rootless --engine-user br-test
says 'may not read'
reset

# ---- volumes ----

# can_write WORDS...: whether a container may write below /d.
can_write() { as_rootless podman --storage-driver vfs run --rm --network none "$@" localhost/image touch /d/x >/dev/null 2>&1; }
check() {
	as_rootless env CONTAINER_HOST="unix://$work/none" "$engine/bindright" check --engine podman-rootless --engine-version 4.3 \
		--image-archive "$engine/images.tar" -- podman run "$@" localhost/image >"$out" 2>"$err"
}
chown 2001:2001 d e
for volume in "$work/d:/d" "$work/f:/d" "$work/d:/d:U" "$work/missing:/d" d:/d; do
	for words in '' "-v $work/e:/d" "-v $work/f:/d" "--tmpfs /d" '-u app'; do
		# What a named volume lets in is not looked at.
		[ "$volume$words" != 'd:/d-u app' ] || continue
		setting "$user/containers.conf" "volumes = [\"$volume\"]"
		can=0 says=0
		# shellcheck disable=SC2086
		can_write $words || can=$?
		# shellcheck disable=SC2086
		check $words || says=$?
		[ $((can > 0)) = $((says > 0)) ] || { cat "$out" "$err" >&2; die "the volume $volume and '$words': $can, not $says"; }
		agreed=$((agreed + 1))
	done
done
[ "$refused" -le 16 ] || die "$refused were refused"
echo "agreed: $agreed, $refused of them refused"
