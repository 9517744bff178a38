#!/usr/bin/env bash
# A mount that could be read-only: by --need, by a known image, or because everything in it looks like an input. Silent otherwise.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

only() { bindright check -q --sysroot "$T" --fail-on error "$@" | grep -E 'BR403|BR106' || echo silent; }
fresh() {
	rm -rf models && mkdir -p models/a && echo x >models/a/f && chown -R 7001:7001 models && chmod -R u=rwX,go=rX models
}
compose 'volumes: ["./models:/models"]'

# Scenario 1: what it serves is somebody else's. With :ro nothing is to be done.
fresh
golden 1 bindright check --sysroot "$T"
compose 'volumes: ["./models:/models:ro"]'
golden 0 bindright check --sysroot "$T"
compose 'volumes: ["./models:/models"]'
golden 0 only --need /models=r
golden 0 only --need /models=rw

# Not where it may write something, lacks more than that, sees nothing in it, did not see all, or the name says otherwise.
setfacl -m u:1001:rw models/a/f
golden 0 only
fresh && chmod 700 models/a
golden 0 only
fresh && rm models/a/f
golden 0 only
fresh
golden 0 only --depth 1
for target in /app/output /var/log/app/Logs /data/.cache; do
	compose "volumes: [\"./models:$target\"]"
	golden 0 only
done
compose 'volumes: ["./models:/data/output.d"]'
golden 0 only
# Root in the container may write whatever its modes say.
sed -i 's/1001:1001/0:0/' compose.yaml
golden 0 only

# What is known of an image, under any of its names; at the path and below it; and not of an image that is built.
image() { printf 'services:\n  web:\n    %s\n    user: "0:0"\n    volumes: ["./models:%s%s"]\n' "$1" "$2" "${3:-}" >compose.yaml; }
image 'image: nginx:1.27-alpine' /usr/share/nginx/html
golden 0 only
image 'image: docker.io/library/nginx@sha256:0123456789012345678901234567890123456789012345678901234567890123' /usr/share/nginx/html/assets
golden 0 only
image 'image: nginx' /usr/share/nginx/htmlx
golden 0 only
image 'image: nginx' /etc/nginx/conf.d
golden 0 only
image 'image: nginx' /usr/share/nginx/html :ro
golden 0 only
image 'image: example/nginx' /usr/share/nginx/html
golden 0 only
image 'image: example' /etc/ssl/certs
golden 0 only
image 'build: {context: ., dockerfile_inline: "FROM nginx"}' /usr/share/nginx/html
golden 0 only
done_golden
