#!/usr/bin/env bash
# What is understood of run lines: on the command line, in scripts, Makefiles and Markdown; nothing is executed.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"
export HOME=/home/me
unset SUDO_UID SUDO_GID
export DATA=/from/environment
# A text would leave this behind if it were executed.
bait=$T/work/executed

mkdir data
printf 'FROM_FILE=1\n# no\n\nTWO=2\n' >my.env
see() { golden 0 bindright inspect "$@"; }
line() { see -- "$@"; }

# ---- on the command line ----
line docker run --rm -itu 1001:1001 -v ./data:/data -v "$PWD/data:/x:ro" --mount 'type=bind,source=/tmp,"target=/a,b"' busybox:1 id -u 5
line sudo -E docker --context default container run --privileged --user=0:0 -v /srv:/srv registry.example:5000/team/app:2@sha256:0 -v /no:/no
line env A=B DOCKER_HOST=unix:///run/docker.sock /usr/bin/docker create --name web --user 5:5 img
line nerdctl --namespace k8s.io run --user 7:7 -v data/x:/x -v ../y:/y:ro,bogus img
line nerdctl.lima run --user 7:7 -v named:/x img
golden 0 bindright inspect --format json --origins -- podman --root /r run -u 1001:1001 -v ./data:/data:U,Z -v /o:/o:O \
	-v '/i:/i:idmap=uids=0-1-2' --mount type=bind,source=/m,target=/m,chown=true,relabel=shared,bind-propagation=rslave \
	--userns host --group-add 5,6 --cap-add CHOWN,KILL --umask 0077 --hostuser root --env-file my.env -e A=B --entrypoint sh img
golden 0 bindright inspect --format json -- podman run -u 1001:1001 --uidmap 0:100000:65536 --gidmap 0:200000:65536 img
golden 0 bindright inspect -- podman run -u 0:0 --uidmap 0:100000:65536 --pod mine --rootfs ./root:O sh
golden 0 bindright inspect --format json -- podman run -u 0:0 --pod mine --rootfs ./root sh
mkdir -p host/etc
printf 'sub:100000:65536\n' | tee host/etc/subuid >host/etc/subgid
printf 'root:x:0:0::/root:/bin/sh\nsub:x:2001:2001::/:/bin/sh\n' >host/etc/passwd
printf 'root:x:0:\n' >host/etc/group
golden 0 bindright inspect --sysroot host --format json --origins -- podman run -u 0:0 --subuidname sub --subgidname sub img
golden 0 bindright inspect --engine podman -- docker run -u 1:1 -v ./data:/data:U img

# ---- a script ----
cat >run.sh <<'END'
#!/bin/bash
# docker run -v /comment:/x no
set -eu
here="$( cd "$( dirname "${BASH_SOURCE[0]}" )" >/dev/null 2>&1 && pwd )"
IMAGE=${IMAGE:-postgres:16}; DATA=/srv/data
NAME='my db'
cat <<EOF
docker run -v /document:/x no
EOF
touch "$(dirname "$0")/executed"
docker run -d \
	--name db `# a name` \
	-e POSTGRES_PASSWORD="$SECRET" --label "$(date)" \
	-v "$DATA"/pg:/var/lib/postgresql/data \
	-v "$here/conf:/etc/conf:ro" -v "${CONF_DIR:-$HOME/conf}":/c -v ~/x:/x -v ${DATA%/data}/y:/y \
	-v $(pwd):/w -v `pwd`/q:/q -v "$PWD/a b":/ab -v $'/t\tab':/tab \
	-u "$(id -u):$(id -g)" "$IMAGE" -c 'x; y' 2>&1 | tee log
OPTS="-v /opt/a:/a -u 3:3"
[ -d /x ] && docker run $OPTS one
if docker ps | grep -q x; then echo 'docker run in words'; fi
cd data && docker run -u 1:1 -v ./sub:/sub one && cd ..
( docker run -u 1:1 --volumes-from db:ro two ) || exit 1
docker compose up -d
END
see -f run.sh --env DATA=/given
see -f run.sh db

cat >lists.sh <<'END'
options=(--rm -v "/a b:/a" # a comment
	-u 5:5)
options+=(-v "$PWD:/w")
docker run "${options[@]}" -v /c:/c one
none=()
docker run "${none[@]}" -u 1:1 -e HOME -v $(basename /x/named):/c two
END
see -f lists.sh

# ---- a Makefile ----
cat >Makefile <<'END'
IMAGE ?= app
HERE := $(shell pwd)/data
ROOT = $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
EXTRA = -v $(ROOT)extra:/extra
ifeq ($(X),1)
EXTRA2 = a
endif

all: build
	@echo start; \
	docker run --rm $(EXTRA) \
		-v $(HERE):/data -v $$(pwd):/w -v $(CURDIR)/c:/c -v "$$HOME/h":/h \
		-u $$(id -u):$$(id -g) \
		$(IMAGE)
other:
	-podman ps
END
see -f Makefile
sed 's/^IMAGE.*//' Makefile >recipes.txt
see -f recipes.txt --env IMAGE=given

# ---- Markdown ----
cat >README.md <<'END'
# Some project

Use `docker run` as follows:

    docker run [OPTIONS] IMAGE

or

```console
$ git clone https://example.org/me/project.git && cd project
$ docker run -u 1:1 -v $(pwd)/data:/data \
>   me/project
docker run of no effect
# docker run -u 2:2 -v /root:/r me/second
```

1. In a list:
   ~~~sh
   sudo docker run -u 3:3 -v $PWD:/w me/project:2
   ~~~

```yaml
docker run: no
```

```make
run:
	docker run -u 4:4 -v $(CURDIR):/w four
```

    $ docker run -u 5:5 -v ./five:/five five
    output
END
see -f README.md
see -f README.md project-2 four

# ---- several engines ----
printf 'docker run -u 1:1 -v /d:/d one\npodman run -u 1:1 -v /p:/p two\n' >both.sh
see --engine docker -f both.sh
see --engine podman -f both.sh
printf 'docker run -u 1:1 one\n' >a.sh
see -f a.sh -f both.sh --engine docker

# ---- a saved plan ----
touch data/f
golden 0 bindright plan -q --format json -o plan.json -- docker run -v ./data:/data -u 0:0 --rm -v ./none:/n img
golden 0 bindright fix --yes -q --plan plan.json
[ -d none ] || die "the plan was not applied"
[ ! -e "$bait" ] || die "something was executed"

# ---- bundles ----
mkdir -p bundle/rootfs
cat >bundle/config.json <<'END'
{
	"ociVersion": "1.0.2",
	"process": {
		"user": {"uid": 1001, "gid": 1002, "additionalGids": [5, 6], "umask": 63},
		"env": ["A=B"],
		"capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
			"ambient": ["CAP_KILL", "CAP_CHOWN"]},
		"noNewPrivileges": true
	},
	"root": {"path": "rootfs", "readonly": true},
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/data", "source": "data", "type": "none", "options": ["rbind", "ro", "rslave"]},
		{"destination": "/i", "source": "/i", "options": ["bind"], "uidMappings": [{"containerID": 1, "hostID": 2, "size": 3}],
			"gidMappings": [{"containerID": 4, "hostID": 5, "size": 6}, {"containerID": 40, "hostID": 50, "size": 60}]}
	],
	"linux": {
		"namespaces": [{"type": "user"}, {"type": "mount"}, {"type": "network", "path": "/run/netns/x"}],
		"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
		"gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]
	}
}
END
see -f bundle
golden 0 bindright inspect --format json --origins -f bundle/config.json
cd bundle
see --kind oci
done_golden
