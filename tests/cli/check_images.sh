#!/usr/bin/env bash
# Who a container is where its image decides: Dockerfiles, archives, known images, variables, and what cannot be known.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data && chown 1001:1001 data

# archive NAME USER: what docker save would write of an image with that user and two accounts, as name.tar.
archive() {
	rm -rf root image && mkdir -p root/etc image
	printf 'root:x:0:0::/:\napp:x:1001:1002::/:\nodd:x:abc:7::/:\n' >root/etc/passwd
	printf 'root:x:0:\napp:x:1002:\nextra:x:2000:app\n' >root/etc/group
	tar -C root -c . >image/layer.tar
	printf '{"architecture":"amd64","os":"linux","config":{"User":"%s"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$2" "$(sha256sum <image/layer.tar | cut -d' ' -f1)" >image/config.json
	printf '[{"Config":"config.json","RepoTags":["%s:latest"],"Layers":["layer.tar"]}]' "$1" >image/manifest.json
	tar -C image -c . >"$1.tar"
}

services() { # NAME LINES: a service of each pair
	echo services:
	while [ $# -gt 0 ]; do
		printf '  %s:\n%s\n    volumes: ["./data:/data"]\n' "$1" "$2"
		shift 2
	done
}

archive app app
archive none ''
archive odd odd
archive lost nosuch
services \
	named '    image: app' \
	number $'    image: app\n    user: "1001"' \
	group $'    image: app\n    user: app:extra' \
	missing $'    image: app\n    user: nobody' \
	added $'    image: app\n    user: app:extra\n    group_add: [nogroup]' \
	root '    image: none' \
	odd '    image: odd' \
	lost '    image: lost' >compose.yaml
golden 1 bindright check --sysroot "$T" --image-archive app.tar --image-archive none.tar --image-archive odd.tar \
	--image-archive lost.tar
golden 2 bindright check --image-archive nosuch.tar

mkdir built open
cat >built/Dockerfile <<'END'
FROM python:3.11-slim
RUN useradd -u 1001 trainer
USER trainer
END
printf 'FROM example.org/nobody/knows:1\nRUN useradd first\nUSER first\n' >open/Dockerfile
services \
	trainer '    build: built' \
	first '    build: open' >compose.yaml
golden 1 bindright check --sysroot "$T"

services \
	database '    image: postgres:16' \
	sonarr $'    image: lscr.io/linuxserver/sonarr\n    environment: {PUID: 1001, PGID: "1002"}' \
	stays $'    image: lscr.io/linuxserver/sonarr\n    environment: [PUID=0, PGID=0]' \
	unclear $'    image: lscr.io/linuxserver/sonarr\n    environment: [PUID=me]' \
	web '    image: nginx' \
	user $'    image: postgres:16\n    user: "1001:1001"' \
	other $'    image: postgres:16\n    entrypoint: ["sh"]' >compose.yaml
golden 1 bindright check --sysroot "$T"
golden 1 bindright plan --sysroot "$T" database
golden 0 bindright check --sysroot "$T" --format json sonarr
golden 0 bindright inspect --sysroot "$T" --origins sonarr web unclear
golden 0 bindright explain --sysroot "$T" sonarr:/data

# The host's namesakes.
mkdir etc && printf 'app:x:1001:1002::/:\nalice:x:999:999::/:\n' >etc/passwd
services \
	named '    image: app' \
	database '    image: postgres:16' >compose.yaml
golden 1 bindright check --sysroot . --image-archive app.tar -q
golden 0 bindright plan --sysroot "$T" --image-archive app.tar --create-users named
done_golden
