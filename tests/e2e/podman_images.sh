#!/usr/bin/env bash
# Podman's images: what its service tells, and what is read out of every kind of archive that it and Skopeo write, is what its containers see.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"

words=${BR_BUILD:-$BR_TOP/.build/plain}/tests/e2e/image_words
[ -x "$words" ] || die "no $words"
command -v skopeo >/dev/null || skip "needs skopeo"

# Name, ID and the field behind it of what a container finds at /etc/NAME.
accounts() { # IMAGE passwd|group FIELD
	local text
	if text=$(pm run --rm --network none --passwd=false --user 0 "$1" cat "/etc/$2" 2>/dev/null); then
		echo "$2 there"
		printf '%s\n' "$text" | awk -F: -v OFS=: -v last="$3" 'NF { print $1, $3, $last }'
	else
		echo "$2 none"
	fi
}
about() { pm image inspect --format "$2" "$1"; }

agreed=0
agree() { # WHAT WHERE IMAGE FILE: the image there is the one whose words are in FILE
	"$words" "$1" "$2" "$3" >got 2>err || die "$2 does not tell of $3: $(cat err)"
	diff -u "$4" got >&2 || die "$2: $3"
	agreed=$((agreed + 1))
}

# compare IMAGE: the services, then archives of each kind.
compare() {
	local image=$1 name=localhost/$1
	{
		echo "user $(about "$image" '{{.Config.User}}')"
		about "$image" '{{range .Config.Env}}env {{.}}{{"\n"}}{{end}}' | grep . || true
		echo "label $(about "$image" '{{index .Config.Labels "io.containers.capabilities"}}')"
	} >words.engine
	{
		cat words.engine
		accounts "$image" passwd 4
		accounts "$image" group 4
	} >words.archive
	agree engine "$service" "$image" words.engine
	agree engine "$service" "$name" words.engine
	rm -rf ./*.tar ./*.gz layout dir-*
	pm save -q --format docker-archive -o docker.tar "$image"
	pm save -q --format oci-archive -o oci.tar "$image"
	pm save -q --format oci-dir -o layout "$image"
	skopeo copy -q docker-archive:docker.tar "docker-archive:skopeo.tar:$name"
	skopeo copy -q docker-archive:docker.tar "oci-archive:skopeo-oci.tar:$name"
	skopeo copy -q --dest-compress --dest-compress-format gzip docker-archive:docker.tar "oci:dir-gzip:$name"
	skopeo copy -q --dest-compress --dest-compress-format zstd docker-archive:docker.tar "oci:dir-zstd:$name"
	gzip -k docker.tar oci.tar
	for archive in docker.tar oci.tar docker.tar.gz oci.tar.gz layout skopeo.tar skopeo-oci.tar dir-gzip dir-zstd; do
		agree archive "$archive" "$image" words.archive
	done
	# The one word for all that an archive is asked about by the name that Podman gives it, too.
	agree archive docker.tar "$name" words.archive
}

# ---- the services: root's, and a user's ----

serve_root
serve_rootless

# ---- the images ----

rootfs=$engine/rootfs
tar -C "$rootfs" -c . | pm import -q - plain:1 >/dev/null
compare plain:1
n=0
for user in app 1001 1001:2000 :2000 0 nosuch; do
	n=$((n + 1))
	tar -C "$rootfs" -c . | pm import -q -c "USER $user" - "user:$n" >/dev/null
	compare "user:$n"
done
build() { # Dockerfile from standard input, with layers of its own
	n=$((n + 1))
	mkdir -p context
	{
		echo "FROM localhost/plain:1"
		cat
	} >context/Dockerfile
	pm build --quiet --network none "$@" -t "made:$n" context >/dev/null || die "podman build: $(cat context/Dockerfile)"
	compare "made:$n"
}
mkdir -p context
printf 'one:x:5:6::/:\n' >context/passwd
build --layers <<'END'
RUN echo app:x:1234:1235::/: >>/etc/passwd
USER app
ENV PUID=7 B="x y"
LABEL io.containers.capabilities=CHOWN
END
build --layers --format docker <<'END'
RUN rm /etc/group
RUN true
COPY passwd /etc/passwd
END
build --squash-all <<'END'
RUN rm /etc/passwd /etc/group
END
# A directory that was made anew hides what was in it below.
build --layers <<'END'
RUN mkdir /d && mv /etc/passwd /d/passwd && ln -s /d/passwd /etc/passwd && rm /etc/group && ln -s ../d/group /etc/group
RUN rm -rf /d && mkdir /d && echo g:x:7:a,b >/d/group
END
build --layers <<'END'
RUN mkdir -p /usr/lib/x && mv /etc/passwd /usr/lib/x/passwd && ln -s ../usr/lib/x/passwd /etc/passwd
RUN mv /etc/group /usr/lib/x/group && ln -s /usr/lib/x/group /etc/group
RUN echo late:x:9:9 >>/usr/lib/x/passwd
END
build --layers <<'END'
RUN mkdir /x && mv /etc/passwd /x/p && ln /x/p /etc/passwd
RUN echo more:x:8:8 >>/x/p
END
# A link for /etc, which Podman follows.
mkdir -p "$rootfs/usr"
mv "$rootfs/etc" "$rootfs/usr/etc"
ln -s usr/etc "$rootfs/etc"
tar -C "$rootfs" -c . | pm import -q - linked:1 >/dev/null
compare linked:1

# Several in one archive.
pm save -q -m -o many.tar plain:1 user:1 made:7
for image in plain:1 user:1 made:7; do
	"$words" archive many.tar "$image" >got || die "$image is not in many.tar"
	grep -qx "user $(about "$image" '{{.Config.User}}')" got || die "another user of $image"
done
! "$words" archive many.tar user:2 2>/dev/null || die "user:2 is in many.tar"
! "$words" engine "$service" made:99 || die "the service has made:99"

# A user's own service has that user's images, and bindright asks it where DOCKER_HOST says so.
! "$words" engine "$rootless_service" user:1 || die "the user's service has root's image"
pm save -q -o "$pod/home/one.tar" user:2
chmod 644 "$pod/home/one.tar"
rl load -q -i "$pod/home/one.tar" >/dev/null
"$words" engine "$rootless_service" user:2 >got || die "the user's service does not know user:2"
grep -qx "user 1001" got || die "another user: $(cat got)"
mkdir data
chown 1001 data
printf 'services:\n  a:\n    image: user:2\n    volumes: ["./data:/data"]\n' >compose.yaml
for socket in "$service" "$rootless_service"; do
	expect 0 env DOCKER_HOST="unix://$socket" "$BINDRIGHT" check --format json
	says '"uid": 1001'
	says "\"where\": \"$socket\""
done
echo "agreed: $agreed answers of services and archives"
[ "$agreed" -ge 150 ] || die "only $agreed"
