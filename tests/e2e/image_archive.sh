#!/usr/bin/env bash
# Whom images run as and what accounts they know: what is read out of `docker save` and asked of the engine is what containers see.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"

words=${BR_BUILD:-$BR_TOP/.build/plain}/tests/e2e/image_words
[ -x "$words" ] || die "no $words"

# compare IMAGE: archive, packed archives and engine against inspect and a container's own files.
compare() {
	local image=$1 user how container
	user=$("$docker" inspect --format '{{.Config.User}}' "$image")
	"$docker" save -o image.tar "$image"
	gzip -k -f image.tar
	rm -rf real
	mkdir real
	# A container that is never started has the files of the image, links included.
	container=$("$docker" create --network none "$image" x)
	"$docker" export "$container" | tar -C real -x 2>/dev/null || true
	"$docker" rm "$container" >/dev/null
	{
		echo "user $user"
		"$docker" inspect --format '{{range .Config.Env}}env {{.}}{{"\n"}}{{end}}' "$image" | grep . || true
		echo "label $("$docker" inspect --format '{{index .Config.Labels "io.containers.capabilities"}}' "$image")"
	} >words.engine
	{
		cat words.engine
		accounts passwd 4
		accounts group 4
	} >words.archive
	"$words" engine "${DOCKER_HOST#unix://}" "$image" >got || die "the engine does not tell of $image"
	diff -u words.engine got || die "engine: $image"
	for how in image.tar image.tar.gz; do
		"$words" archive "$how" "$image" >got || die "$how does not tell of $image"
		diff -u words.archive got || die "$how: $image"
	done
	echo "agreed: $image ($user)"
}

# Name, ID and the field behind it of what chroot finds at /etc/NAME, so that links are those of the image.
accounts() {
	local text
	if text=$(chroot real /bin/busybox cat "/etc/$1" 2>/dev/null); then
		echo "$1 there"
		printf '%s\n' "$text" | awk -F: -v OFS=: -v last="$2" 'NF { print $1, $3, $last }'
	else
		echo "$1 none"
	fi
}

n=0
build() { # Dockerfile from standard input, onto "busybox"
	n=$((n + 1))
	mkdir -p context
	{
		echo "FROM busybox"
		cat
	} >context/Dockerfile
	"$docker" build --network none -q -t "made:$n" context >/dev/null || die "docker build: $(cat context/Dockerfile)"
	compare "made:$n"
}

compare busybox:latest

for user in app 1001 1001:2000 app:extra :2000 0 nosuch "a b"; do
	tar -C "$engine/rootfs" -c . | "$docker" import -c "USER $user" - "user:x" >/dev/null
	compare user:x
done

mkdir -p context
printf 'one:x:5:6::/:\n' >context/passwd
ln -sf /usr/share/passwd context/link

build <<'END'
RUN echo app:x:1234:1235::/: >>/etc/passwd
USER app
ENV PUID=7 B="x y"
LABEL io.containers.capabilities=CHOWN
END
build <<'END'
RUN rm /etc/group
END
build <<'END'
RUN rm /etc/passwd /etc/group
COPY passwd /etc/passwd
END
# A directory that was made anew hides what was in it below.
build <<'END'
RUN mkdir /d && mv /etc/passwd /d/passwd && ln -s /d/passwd /etc/passwd && rm /etc/group && ln -s ../d/group /etc/group
RUN rm -rf /d && mkdir /d && echo g:x:7:a,b >/d/group
END
build <<'END'
RUN mkdir /d && mv /etc/passwd /d/passwd && ln -s /d/passwd /etc/passwd
RUN rm -rf /d
END
build <<'END'
RUN mkdir /d && mv /etc/passwd /d/passwd && ln -s /d/passwd /etc/passwd
RUN mv /d /f && ln -s f /d && echo late:x:9:9 >>/f/passwd
END
build <<'END'
RUN mkdir -p /usr/lib/x && mv /etc/passwd /usr/lib/x/passwd && ln -s ../usr/lib/x/passwd /etc/passwd
RUN mv /etc/group /usr/lib/x/group && ln -s /usr/lib/x/group /etc/group
RUN echo late:x:9:9 >>/usr/lib/x/passwd
END
build <<'END'
RUN ln -s passwd /etc/a && rm /etc/passwd && ln -s a /etc/passwd
END
build <<'END'
RUN mkdir /x && mv /etc/passwd /x/p && ln /x/p /etc/passwd
RUN echo more:x:8:8 >>/x/p
END

# No /etc at all. (One that is a link Docker removes when it makes a container; Podman follows it.)
root=$engine/rootfs
mkdir -p "$root/usr"
mv "$root/etc" "$root/usr/etc"
tar -C "$root" -c . | "$docker" import - noetc:x >/dev/null
compare noetc:x

# Several images in one archive, with the layers they share.
"$docker" save -o both.tar busybox:latest made:1 made:2
"$words" archive both.tar busybox >got || die "busybox is not in both.tar"
grep -qx 'user ' got || die "busybox has a user"
"$words" archive both.tar made:1 >got || die "made:1 is not in both.tar"
grep -qx 'user app' got || die "made:1 has no user"
! "$words" archive both.tar made:9 2>/dev/null || die "made:9 is in both.tar"
! "$words" engine "${DOCKER_HOST#unix://}" made:99 || die "the engine has made:99"
