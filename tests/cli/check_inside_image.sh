#!/usr/bin/env bash
# The container's own file system: mounts that it cannot reach (BR109), places where the image (BR601) or a library (BR602) writes and the user cannot; and as many where all is well.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data outer && chown 1001:1001 data && chmod 700 outer
mkdir -p etc outer/in data/in && chown 1001:1001 outer/in data/in
printf 'app:x:1001:1001::/:\n' >etc/passwd
printf 'app:x:1001:\n' >etc/group

# archive NAME CONFIG LAYER...: what docker save would write of these directories, as NAME.tar.
archive() {
	local name=$1 config=$2 layer ids='' files=''
	shift 2
	rm -rf image && mkdir image
	for layer in "$@"; do
		tar -C "$layer" --numeric-owner -c . >"image/$layer.tar"
		ids="$ids${ids:+,}\"sha256:$(sha256sum <"image/$layer.tar" | cut -d' ' -f1)\""
		files="$files${files:+,}\"$layer.tar\""
	done
	printf '{"architecture":"amd64","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"$config" "$ids" >image/config.json
	printf '[{"Config":"config.json","RepoTags":["%s:latest"],"Layers":[%s]}]' "$name" "$files" >image/manifest.json
	tar -C image -c . >"$name.tar"
}

mkdir -p base/{etc,root,closed/vol,open,shared,made,home/app,var/lib/app,var/log,tmp,usr/lib/python3/dist-packages/huggingface_hub}
printf 'root:x:0:0::/root:\napp:x:1001:1002::/home/app:\nbare:x:1002:1002::/nowhere:\n' >base/etc/passwd
printf 'root:x:0:\napp:x:1002:\nextra:x:2000:app\n' >base/etc/group
chmod 700 base/root base/closed
chmod 1777 base/tmp
chmod 750 base/shared base/made && chown 0:2000 base/shared && chown 1001:1002 base/made base/home/app
ln -s closed/vol base/link
ln -s /open base/fine
archive app '"User":"app","Volumes":{"/var/lib/app":{}}' base
# A layer above opens one directory, closes another, and takes the library away.
mkdir -p upper/{closed,open,usr/lib/python3/dist-packages}
chmod 700 upper/open
touch upper/usr/lib/python3/dist-packages/.wh.huggingface_hub
archive other '"User":"1001:1002","Env":["HOME=/tmp"]' base upper

service() { # NAME LINES
	printf '  %s:\n' "$1"
	shift
	printf '    %s\n' "$@"
}

check() { golden "$1" bindright check --sysroot . "${@:2}"; }

{
	echo services:
	service closed 'image: app' 'volumes: ["./data:/closed/sub", "./data:/open/sub", "./data:/new/sub", "./data:/fine/x"]'
	service link 'image: app' 'volumes: ["./data:/link"]'
	service home 'image: app' 'volumes: ["./data:/root/.cache"]'
	service member 'image: app' 'volumes: ["./data:/shared/sub"]'
	service stranger 'image: app' 'user: "1001:1002"' 'volumes: ["./data:/shared/sub"]'
	service root 'image: app' 'user: root' 'volumes: ["./data:/closed/sub"]'
	service weak 'image: app' 'user: root' 'cap_drop: [ALL]' 'volumes: ["./data:/made/sub", "./data:/closed/sub"]'
	service outer 'image: app' 'volumes: ["./outer:/open", "./data:/open/in"]'
	service around 'image: app' 'volumes: ["./data:/closed", "./data:/closed/in"]'
	service tmpfs 'image: app' 'tmpfs: [/made]' 'volumes: ["./data:/made/sub"]'
	service mode 'image: app' 'tmpfs: ["/made:size=1m,mode=1777"]' 'volumes: ["./data:/made/sub"]'
	service nobody 'image: app' 'tmpfs: [/nothing]' 'volumes: ["./data:/nothing/sub"]'
	service upper 'image: other' 'volumes: ["./data:/closed/sub", "./data:/open/sub"]'
} >compose.yaml
check 1 --image-archive app.tar --image-archive other.tar
golden 0 bindright check --sysroot . --image-archive app.tar --image-archive other.tar --format json member mode nobody -q

# Of images that nobody read, only what their distribution is known for.
{
	echo services:
	service debian 'image: python:3.12-slim' 'user: "1001:1001"' 'volumes: ["./data:/root/.cache/huggingface"]'
	service alpine 'image: alpine' 'user: "1001:1001"' 'volumes: ["./data:/root/x"]'
	service fedora 'image: fedora' 'user: "1001:1001"' 'volumes: ["./data:/root/x"]'
	service group 'image: fedora' 'user: "1001:0"' 'volumes: ["./data:/root/x"]'
	service theirs 'image: example.org/debian' 'user: "1001:1001"' 'volumes: ["./data:/root/x"]'
	service root 'image: python:3.12-slim' 'volumes: ["./data:/root/x"]'
} >compose.yaml
check 1

# What libraries write, by an archive.
{
	echo services:
	service app 'image: app'
	service bare 'image: app' 'user: bare'
	service number 'image: app' 'user: "4321:4321"'
	service set 'image: app' 'user: "4321:4321"' 'environment: {HF_HOME: /tmp/hf}'
	service home 'image: app' 'user: "4321:4321"' 'environment: {HOME: /home/app}'
	service mounted 'image: app' 'user: "4321:4321"' 'volumes: ["./data:/.cache", "./data:/var/lib/app"]'
	service offline 'image: app' 'user: "4321:4321"' 'environment: [HF_HUB_OFFLINE=1]'
	service closed 'image: app' 'read_only: true' 'tmpfs: [/var/lib/app]'
	service gone 'image: other' 'user: "4321:4321"'
	service root 'image: app' 'user: root'
} >compose.yaml
check 1 --image-archive app.tar --image-archive other.tar

# build NAME: a directory with the Dockerfile of standard input, after its first lines; FROM another base where BASE is set.
build() {
	mkdir -p "$1"
	{
		echo "FROM ${BASE:-python:3.12-slim}"
		cat
	} >"$1/Dockerfile"
	service "$1" "build: $1" "${@:2}" >>compose.yaml
}

# Directories that nobody gave to the user.
echo services: >compose.yaml
build mkdir <<'END'
RUN useradd -u 1001 app && mkdir -p /app/logs
USER app
END
build volume <<'END'
VOLUME ["/data", "/var/lib/x"]
USER 1001:1001
END
build variable <<'END'
WORKDIR /app
COPY . .
ENV LOG_DIR=/app/logs PID_FILE=/run/app.pid
USER 1001:1001
END
build relative <<'END'
WORKDIR /srv/app
RUN cd sub && mkdir ../uploads && install -d -m 750 cache
USER 1001:1001
END
build late <<'END'
RUN mkdir -p /app/cache
USER 1001:1001
RUN mkdir -p /tmp/other
END
build closed <<'END'
RUN groupadd -g 2000 media && mkdir /uploads && chown 1002:2000 /uploads && chmod 0770 /uploads
USER 1001:1001
END
build compose 'user: "1001:1001"' <<'END'
RUN mkdir /data
END
check 0

# And all that is well, or not known.
echo services: >compose.yaml
build chown <<'END'
RUN useradd -u 1001 app && mkdir -p /app/logs && chown -R app:app /app
USER app
END
build chowned-later <<'END'
RUN mkdir -p /app/logs /app/cache /app/tmp
RUN chown 1001 /app/logs && chmod 777 /app/cache && chmod a+w /app/tmp
USER 1001:1001
END
build copied <<'END'
RUN mkdir -p /app/data /app/cache /app/static
COPY . /app/data
RUN tar -C /app/cache -x
USER 1001:1001
END
build worked <<'END'
RUN mkdir -p /app/work
WORKDIR /app/work
USER 1001:1001
END
build brought <<'END'
WORKDIR /app
COPY --from=example.org/other /app/ /app/
RUN mkdir -p /app/cache
ENV LOG_DIR=/app/logs
USER 1001:1001
END
build unpacked <<'END'
ADD app.tar.gz /srv/app/
ENV LOG_DIR=/srv/app/logs
USER 1001:1001
END
build own <<'END'
USER 1001:1001
RUN mkdir /tmp/logs
END
build script <<'END'
RUN mkdir -p /app/logs
COPY setup.sh /
RUN /setup.sh
USER 1001:1001
END
build found <<'END'
RUN mkdir -p /app/logs && find /app -type d -exec chown 1001 {} +
USER 1001:1001
END
build perhaps <<'END'
ARG WHO
RUN mkdir -p /app/logs && chown $(cat /uid) /app/logs
RUN if [ -n "$WHO" ]; then mkdir -p /app/cache; fi
RUN for d in a b; do mkdir -p /data/$d; done
USER 1001:1001
END
BASE=example.org/base build unknown-base <<'END'
RUN mkdir -p /app/logs
WORKDIR /work
ENV LOG_DIR=/work/logs
VOLUME /data
USER 1001:1001
END
build mounted 'volumes: ["./data:/app/logs", "./data:/data/in"]' 'tmpfs: [/app/cache]' <<'END'
RUN mkdir -p /app/logs /app/cache /data
USER 1001:1001
END
build packaged <<'END'
RUN apt-get install -y redis-server && mkdir -p /var/lib/redis
USER 101
END
build given <<'END'
RUN install -d -o 1001 -g 1001 /var/log/app && mkdir -m 1777 /uploads
COPY --chown=1001:1001 . /work/
ENV OUTPUT_DIR=/work/output CACHE_DIR=/uploads/cache
USER 1001:1001
END
build root <<'END'
RUN mkdir /data
VOLUME /data
END
build staged <<'END'
RUN mkdir -p /data && chown 1001 /data
FROM python:3.12-slim
COPY --from=0 /data /data
ENV LOG_DIR=/data/logs
USER 1001:1001
END
check 0

# Libraries, by what the Dockerfile installs, copies and starts.
echo services: >compose.yaml
build home <<'END'
RUN pip install --no-cache-dir "transformers[torch]==4.46" matplotlib && useradd -u 1001 app
USER app
END
build nowhere 'user: "1001:1001"' <<'END'
COPY requirements.txt .
RUN python -m pip install -r requirements.txt
END
printf '# for models\nnumpy\nlibrosa >= 0.10 # sound\n' >nowhere/requirements.txt
build log <<'END'
RUN apt-get update && apt-get install -y supervisor
USER 1001:1001
CMD ["supervisord", "-n"]
END
build own-config <<'END'
RUN apt-get update && apt-get install -y supervisor
WORKDIR /app
COPY conf/ /etc/supervisor/
USER 1001:1001
ENTRYPOINT ["/usr/bin/supervisord"]
END
mkdir own-config/conf
printf '[supervisord]\nlogfile = /dev/null\n' >own-config/conf/supervisord.conf
# Without a WORKDIR that is the root: what is copied to there, and where the PID file goes.
build root-config <<'END'
RUN apt-get update && apt-get install -y supervisor
COPY supervisord.conf .
USER 1001:1001
CMD ["supervisord", "-n", "-c", "supervisord.conf"]
END
printf '[supervisord]\nlogfile = /var/log/own.log\n' >root-config/supervisord.conf
build jupyter <<'END'
RUN pip install jupyterlab
USER 1001:1001
CMD jupyter lab --ip 0.0.0.0
END
build torch 'environment: {TORCH_HOME: /models/torch}' <<'END'
RUN pip install torchvision
USER 1001:1001
END
build venv <<'END'
RUN python -m venv /opt/venv && /opt/venv/bin/pip install transformers
FROM python:3.12-slim
COPY --from=0 /opt/venv /opt/venv
USER 1001:1001
END
BASE=nginx build nginx <<'END'
USER 1001:1001
CMD ["nginx", "-g", "daemon off;"]
END
check 0
bindright check --sysroot . | grep BR601 && die "a library's place is not the image's own"

# And where they can write, do not run, or are told not to.
echo services: >compose.yaml
build made <<'END'
RUN pip install transformers matplotlib && useradd -m -u 1001 app
USER app
END
BASE=alpine build busybox <<'END'
RUN pip install transformers && adduser -D -u 1001 app
USER app
END
build variables <<'END'
RUN pip install transformers librosa torchvision && useradd -u 1001 app && mkdir /cache && chown app /cache
ENV XDG_CACHE_HOME=/cache NUMBA_CACHE_DIR=/tmp/numba
USER app
END
build no-start <<'END'
RUN apt-get install -y supervisor nginx && pip install jupyterlab
USER 1001:1001
CMD ["python", "app.py"]
END
build command 'command: [python, app.py]' <<'END'
RUN apt-get install -y supervisor
USER 1001:1001
CMD ["supervisord"]
END
build configured <<'END'
RUN apt-get install -y supervisor
COPY --chown=root supervisord.conf /app/etc/
USER 1001:1001
CMD ["supervisord", "-c", "/app/etc/supervisord.conf"]
END
printf '[unix_http_server]\nfile=/tmp/s.sock\n[supervisord]\nlogfile=/dev/stdout\nlogfile_maxbytes=0\npidfile=/tmp/s.pid\n[program:x]\nstdout_logfile=/var/log/x\n' \
	>configured/supervisord.conf
build elsewhere <<'END'
RUN apt-get install -y supervisor
COPY --from=example.org/conf supervisord.conf /etc/supervisor/supervisord.conf
USER 1001:1001
CMD ["supervisord"]
END
build mounted-config 'volumes: ["./data:/etc/supervisor"]' <<'END'
RUN apt-get install -y supervisor
USER 1001:1001
CMD ["supervisord"]
END
BASE=nginx build run 'tmpfs: [/var/run]' <<'END'
USER 1001:1001
END
build read-only 'read_only: true' 'tmpfs: [/var/run, /var/log/supervisor]' <<'END'
RUN apt-get install -y supervisor
USER 1001:1001
CMD ["supervisord"]
END
build unknown-user 'user: "1001:1001"' <<'END'
ARG UID
RUN pip install transformers && useradd -m -u $UID app
END
check 0
done_golden
