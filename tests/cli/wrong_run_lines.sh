#!/usr/bin/env bash
# Run lines that no client would take, or that cannot be known without running something: what is wrong, where, and what would be right.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

wrong() {
	golden 2 bindright "$@"
	[ ! -s "$T/out" ] || die "something on standard output: $*"
}
line() { wrong inspect -- "$@"; }
# text NAME: standard input is a file of this name.
text() {
	cat >"$1"
	wrong inspect -f "$@"
	rm "$1"
}

# ---- no run line ----
wrong check --
wrong check -f x.sh -- docker run i
wrong check --kind compose -- docker run i
wrong history -- docker run i
line ls
line docker
line docker ps
line docker compose run web
line sudo -u alice
line docker run
line docker run -it
line docker run --help i

# ---- options ----
line docker run --volum a:/b i
line docker run --us=1 i
line docker run --userid 1 i
line docker run -z i
line docker run -vv
line docker run -name web i
line docker run --user
line docker run -u
line docker run --uidmap 0:1:2 i
line podman run --link a i
line nerdctl run --uidmap 0:1:2 i
line docker --no-such run i
line podman --context x run i
line docker run --privileged=yes i
line docker run --read-only= i
line docker run -t=maybe i
line docker -H ssh://host run i
line docker --host=tcp://10.0.0.1:2375 run i
line podman --url ssh://host run i
line docker run --name /web i
line docker run --name x i
line docker run -e =x i
line docker run --env-file none i
line docker run --env-file '' i
line docker run --userns keep-id i
line podman run --userns keepid i
line podman run --userns=host --uidmap 0:100000:65536 i
line podman run --uidmap 0 i
line podman run --gidmap 0:a:1 i
line podman run --umask 99 i
line podman run --umask 00022 i
line podman run --group-add keep-groups --group-add 44 i
line docker run --group-add '' i
line docker run --volumes-from '' i
line docker run ''

# ---- volumes ----
line docker run -v '' i
line docker run -v a:b:c:d i
wrong inspect --engine-version 20.10 -- docker run -v ./a:/b i
line docker run -v :/data i
line docker run -v /data: i
line docker run -v rel/x:/data i
# shellcheck disable=SC2088 # as the shell would hand it over
line docker run -v '~/x:/data' i
line docker run -v 'a*b:/data' i
line docker run -v x:/data i
line docker run -v v:/data:ro i
line docker run -v data i
line docker run -v /a:data i
line docker run -v /a:./data i
line docker run -v /a:/ i
line docker run -v /a:/data:bogus i
line docker run -v /a:/data:r0 i
line docker run -v /a:/data:U i
line docker run -v '/a:/data: ro' i
line docker run -v /a:/data:ro,rw i
line docker run -v /a:/data:z,Z i
line docker run -v /a:/data:nocopy i
line docker run -v vol:/data:rslave i
line docker run -v /a:/data -v /b:/data i
line docker run -v /a:/data -v /a:/data:ro i
line docker run -v /a:/data --tmpfs /data i
line docker run --tmpfs tmp i
line podman run -v /a:/b:c:d:e i
line podman run -v :/data i
line podman run -v /a:/data:consistent i
line podman run -v /a:/data:U,U i
line podman run -v /a:/data:O,ro i
line podman run -v /a:/data: i

# ---- mounts ----
line docker run --mount '' i
line docker run --mount type=bind,source=/a i
line docker run --mount type=bind,target=/a i
line docker run --mount type=bind,source=a,target=/a i
line docker run --mount type=bind,source=/a,target=a i
line docker run --mount type=bnid,source=/a,target=/a i
line docker run --mount type=bind,sorce=/a,target=/a i
line docker run --mount type=bind,source=/a,target=/a,rw i
line docker run --mount type=bind,source=/a,target=/a,z i
line docker run --mount type=bind,source=/a,target=/a,readonly=yes i
line docker run --mount 'type=bind, source=/a,target=/a' i
line docker run --mount 'type=bind,source= /a,target=/a' i
line docker run --mount type=bind,source=,target=/a i
line docker run --mount type=bind,source,target=/a i
line docker run --mount source=/a,target=/a i
line docker run --mount 'type=bind,"source=/a"x,target=/a' i
line docker run --mount 'type=bind,source=/a"x,target=/a' i
line docker run --mount 'type=bind,"source=/a' i
line docker run --mount type=tmpfs,source=/x,target=/a i
line docker run --mount type=bind,source=/a,target=/a,bind-propagation=rp i
line docker run --mount type=bind,source=/a,target=/a,bind-recursive=readonly i
line docker run --mount type=bind,source=/a,target=/a,bind-recursive=maybe i
line docker run --mount type=volume,source=v,target=/a,bind-recursive=disabled i
line podman run --mount type=bind,source=/a,target=/a,ro,rw i
line podman run --mount type=bind,source=/a,target=/a,U=maybe i
line podman run --mount type=bind,source=/a,target=/a,relabel=x i
line podman run --mount 'type=glob,source=/a/*,target=/a' i

# ---- what a shell would have to know ----
text a.sh <<'END'
docker run -v $DATA:/data img
END
text a.sh <<'END'
docker run -v "${DATA:?}/x":/data img
END
text a.sh <<'END'
docker run -v /srv/$(date +%F):/data img
END
text a.sh <<'END'
docker run -v `git rev-parse --show-toplevel`:/data img
END
text a.sh <<'END'
OUT=$(mktemp -d)
docker run -v $OUT:/out img
END
text a.sh <<'END'
for i in a b; do
  docker run -v /srv/$i:/data img
done
END
text a.sh <<'END'
if test -d /x; then D=/x; else D=/y; fi
docker run -v $D:/data img
END
text a.sh <<'END'
docker run $OPTIONS img
END
text a.sh <<'END'
docker run -v $1:/data "$@"
END
text a.sh <<'END'
docker run -v /a:/data $IMAGE
END
text a.sh <<'END'
$DOCKER run -v /a:/data img
END
text a.sh <<'END'
options=(-v /a:/b
docker run "${options[@]}" img
END
text a.sh <<'END'
options=(-v "$NOWHERE:/b")
docker run "${options[@]}" img
END
text a.sh <<'END'
export DOCKER_HOST=ssh://elsewhere
docker run -u 1:1 img
END
text a.sh <<'END'
cd "$SOMEWHERE"
docker run -v ./data:/data img
END
text a.sh <<'END'
docker run -v <your data>:/data img
END
text a.sh <<'END'
docker run --rm \ 
  -v /a:/data img
END
text a.sh <<'END'
docker run -v "/a:/data img
END
text a.sh <<'END'
docker run -v '/a:/data img
END
text a.sh <<'END'
docker run -v ${DATA:/data img
END
text a.sh <<'END'
docker run -v $(pwd:/data img
END
text a.sh <<'END'
docker run -v `pwd:/data img
END
text a.sh <<'END'
docker run -v ~alice/x:/data img
END
text a.sh <<'END'
echo docker run
END
text a.sh <<'END'
docker run --rmm a
docker run -v /x:/x:rr b
podman run --rm c
END
text a.sh nosuch <<'END'
docker run --name web1 img
END
text a.sh web <<'END'
docker run --name web1 img
END
text a.sh <<'END'
docker run -v /a:/a one
podman run -v /a:/a two
END
text a.sh <<'END'
docker run --name aa --volumes-from bb img
docker run --name bb --volumes-from aa img
END
text Makefile <<'END'
run:
	docker run -v $(pwd)/data:/data img
END
text Makefile <<'END'
run:
	docker run -v $(DATA):/data img
END
text Makefile <<'END'
NOW != date
run:
	docker run -v /srv/$(NOW):/data img
END
text Makefile <<'END'
run:
	docker run -v $(wildcard *.x):/data $(IMAGE
END
text README.md <<'END'
Nothing to run, but `docker run` is named.
END
text README.md <<'END'
# Use
```sh
docker run -v /path:/data:rw,readonly img
```
END
printf 'docker run\0 img\n' >zero.sh
wrong inspect -f zero.sh
wrong inspect -f none.sh
wrong inspect --kind run-line -f .
wrong inspect --kind run-line
wrong check --kind quadlet -f x
done_golden
