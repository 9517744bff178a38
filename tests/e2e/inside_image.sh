#!/usr/bin/env bash
# The container's own file system: bindright says first whether a mount can be reached (BR109) and which places of the image cannot be written (BR601, BR602); then the container tries.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"

# An image with directories of all kinds, as a file of `docker import`: owners and modes are the tar's.
root=$engine/rootfs
mkdir -p "$root"/{closed/vol,open,shared,made,home/app,var/lib/app,var/log,run,srv,opt,usr/local,usr/lib/python3/dist-packages/huggingface_hub}
chmod 700 "$root/root" "$root/closed"
chmod 1777 "$root/tmp"
ln -s ../run "$root/var/run"
printf 'root:x:0:0::/root:\napp:x:1001:1002::/home/app:\nbare:x:1002:1002::/nowhere:\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:1002:\nextra:x:2000:app\n' >"$root/etc/group"
chmod 750 "$root/shared" "$root/made"
chown 0:2000 "$root/shared"
chown 1001:1002 "$root/made" "$root/home/app"
ln -s closed/vol "$root/link"
ln -s /open "$root/fine"
# What Dockerfiles call and this test does not need.
for stub in pip apt-get; do printf '#!/bin/sh\n' >"$root/bin/$stub" && chmod 755 "$root/bin/$stub"; done
ln -sf busybox "$root/bin/find"
cat >"$root/bin/install" <<'END'
#!/bin/sh
# This busybox has none; only -d -o OWNER -m MODE DIRECTORY.
mkdir -p "$6" && chown "$3" "$6" && chmod "$5" "$6"
END
chmod 755 "$root/bin/install"
tar -C "$root" -c . | "$docker" import -c 'USER app' -c 'VOLUME /var/lib/app' - seen:1 >/dev/null
tar -C "$root" -c . | "$docker" import - python:3.12-slim >/dev/null
mkdir up
cat >up/Dockerfile <<'END'
FROM seen:1
USER root
RUN chmod 755 /closed && chmod 700 /open && rm -rf /made && mkdir -p /made/deep && chmod 0710 /made && chown 0:2000 /made
RUN mv /shared /moved && rm -rf /usr/lib/python3 && ln -s /root /to-root
USER app
END
"$docker" build --network none -q -t seen:2 up >/dev/null
"$docker" save -o seen.tar seen:1 seen:2

mkdir data data/in outer outer/in wide wide/in shut
chmod 777 data data/in outer/in wide wide/in shut
chmod 700 outer

# One service of compose.yaml at a time: reach IMAGE "KEYS" TARGET "RUN OPTIONS". The last mount is the one that is tried.
n=0 blocked=0
reach() {
	local image=$1 keys=$2 target=$3 told=fine really=fine versions=${versions:-}
	shift 3
	n=$((n + 1))
	printf 'services:\n  a:\n    image: %s\n%s' "$image" "$keys" >compose.yaml
	"$BINDRIGHT" check --image-archive seen.tar --format json >"$out" 2>"$err" || [ $? = 1 ] || die "$(cat "$err")"
	! grep -q "cannot reach '$target'" "$out" || told=blocked
	"$docker" run --rm --network none "$@" "$image" sh -c "touch $target/x && rm $target/x" >/dev/null 2>&1 || really=blocked
	# Where versions of runc do not agree nobody is blamed without need.
	[ -z "$versions" ] || [ $told = blocked ] || really=fine
	[ "$told" = "$really" ] || {
		cat compose.yaml "$out" >&2
		die "$image $target ($*): bindright says $told, and it is $really"
	}
	[ $told = fine ] || blocked=$((blocked + 1))
}
# bind IMAGE TARGET [USER [more keys and options]]
bind() {
	local keys="    volumes: [\"./data:$2\"]"$'\n' options=(--volume "$work/data:$2")
	[ -z "${3:-}" ] || { keys+="    user: \"$3\""$'\n' && options+=(--user "$3"); }
	reach "$1" "$keys${4:-}" "$2" "${options[@]}" "${@:5}"
}

for image in seen:1 seen:2; do
	for target in /closed/a /open/a /link /fine/x /root/.cache /shared/x /moved/x /made/deep/x /home/app/x /new/a/b /to-root/x; do
		for user in '' 1001:1002 1001:2000 root; do
			bind $image $target "$user"
		done
	done
done
bind seen:1 /made/x root $'    cap_drop: [ALL]\n' --cap-drop ALL
bind seen:1 /closed/x root $'    cap_drop: [ALL]\n' --cap-drop ALL
bind seen:1 /shared/x 1001:1002 $'    group_add: ["2000"]\n' --group-add 2000
bind seen:1 /root/x 1001 $'    cap_add: [DAC_OVERRIDE]\n' --cap-add DAC_OVERRIDE
echo "$n mounts of images: $blocked out of reach"

# Other mounts around it.
around() { # OUTER TARGET USER
	reach seen:1 "    user: \"$3\""$'\n    volumes: ["./'"$1:$2\", \"./data:$2/in\"]"$'\n' "$2/in" \
		--user "$3" --volume "$work/$1:$2" --volume "$work/data:$2/in"
}
for user in 1001 0 4321:4321; do
	for target in /open /closed /new /root/x; do
		around outer $target $user
		around wide $target $user
	done
done
setfacl -m u:1001:x outer
around outer /open 1001
around outer /open 4321
tmpfs() { # TMPFS TARGET USER
	reach seen:1 "    user: \"$3\""$'\n    tmpfs: ["'"$1\"]"$'\n    volumes: ["./data:'"$2\"]"$'\n' "$2" \
		--user "$3" --tmpfs "$1" --volume "$work/data:$2"
}
for user in 1001 1001:2000 0; do
	tmpfs /made /made/x $user
	versions=differ tmpfs /made:mode=1777 /made/x $user
	versions=differ tmpfs /made:size=1m,mode=0750,uid=1001 /made/a/x $user
	tmpfs /nothing:mode=0700 /nothing/x $user
	tmpfs /nothing /nothing/x $user
	tmpfs /open /open/x $user
	tmpfs /shared /shared/a/b $user
done
echo "$n mounts altogether, and none was judged wrongly ($blocked out of reach)"
if [ "$blocked" -lt 40 ] || [ $((n - blocked)) -lt 50 ]; then die "too few of one kind"; fi

# Places that cannot be written: of each place that bindright names the container is refused, and it can write all others that the test names.
told=0 free=0
places() { # PLACE...: Dockerfile on standard input, below FROM
	local place image
	{
		echo 'FROM python:3.12-slim'
		cat
	} >up/Dockerfile
	image=$("$docker" build --network none -q up) || die "cannot build $(cat up/Dockerfile)"
	"$docker" tag "$image" made:1
	printf 'services:\n  a:\n    build: up\n' >compose.yaml
	expect 0 env DOCKER_HOST=unix:///nowhere "$BINDRIGHT" check --format json --sysroot "$work"
	cp "$out" dockerfile.json
	"$docker" save -o made.tar made:1
	printf 'services:\n  a:\n    image: made:1\n' >compose.yaml
	expect 0 "$BINDRIGHT" check --format json --sysroot "$work" --image-archive made.tar
	cp "$out" archive.json
	cat dockerfile.json archive.json >both.json
	# The places in its sentences.
	grep -E '"message": .*(cannot write)' both.json | grep -oE "'/[^']*'" | tr -d "'" | sort -u >named
	while read -r place; do
		! "$docker" run --rm --network none made:1 sh -c "mkdir -p '$place' 2>/dev/null && touch '$place/x' || touch '$place'" \
			>/dev/null 2>&1 || die "$place can be written: $(cat up/Dockerfile dockerfile.json)"
		told=$((told + 1))
	done <named
	for place; do
		if [ "${place#-}" != "$place" ]; then
			grep -qFx -- "${place#-}" named || die "nobody says that ${place#-} cannot be written: $(cat up/Dockerfile dockerfile.json)"
			continue
		fi
		"$docker" run --rm --network none made:1 sh -c "mkdir -p '$place' && touch '$place/x'" >/dev/null 2>&1 ||
			die "$place cannot be written, and the test says it can: $(cat up/Dockerfile)"
		! grep -qFx -- "$place" named || die "$place can be written"
		free=$((free + 1))
	done
}
mkdir -p up/sub etc
: >up/file
places -/app/logs -/data /tmp/x <<'END'
RUN mkdir -p /app/logs /data
USER 1001:1001
END
places -/app/cache /app/logs /app/tmp <<'END'
RUN mkdir -p /app/logs /app/cache /app/tmp && chown 1001 /app/logs && chmod 0777 /app/tmp
USER 1001:1001
END
places -/var/lib/x -/data <<'END'
VOLUME ["/data", "/var/lib/x"]
USER 1001:1001
END
places /data <<'END'
RUN mkdir /data && chown 1001:1001 /data
VOLUME /data
USER 1001
END
places -/app/out -/run/app.pid <<'END'
WORKDIR /app
COPY . .
ENV OUTPUT_DIR=/app/out PID_FILE=/run/app.pid
USER 1001:1001
END
places /work/out <<'END'
COPY --chown=1001:1001 sub /work
ENV OUTPUT_DIR=/work/out
USER 1001:1001
END
places -/srv/app/uploads /srv/app/sub/cache <<'END'
WORKDIR /srv/app/sub
RUN mkdir ../uploads && install -d -o 1001 -m 0700 cache
USER 1001:1001
END
places -/.cache/huggingface -/var/log/supervisor -/var/run/supervisord.pid <<'END'
RUN apt-get install -y supervisor && pip install transformers
USER 1001:1001
CMD ["supervisord"]
END
places /hf <<'END'
RUN pip install transformers && mkdir /hf && chmod 1777 /hf
ENV HF_HOME=/hf
USER 1001:1001
END
places /home/app/.cache/huggingface <<'END'
RUN pip install transformers
ENV HOME=/home/app
USER app
END
places -/nowhere/.cache/huggingface <<'END'
RUN pip install transformers
USER bare
END
places -/uploads /tmp/x <<'END'
RUN mkdir -m 0750 /uploads && chown 1002:2000 /uploads
USER 1001:1001
END
places /uploads <<'END'
RUN mkdir -m 0770 /uploads && chown 1002:2000 /uploads
USER 1001:2000
END
places /app/logs /app/data <<'END'
RUN mkdir -p /app/logs /app/data && find /app -type d -exec chown 1001 {} +
USER 1001:1001
END
echo "$told places cannot be written, as was said; $free can, and nothing was said"
if [ "$told" -lt 12 ] || [ "$free" -lt 12 ]; then die "too few of one kind"; fi
