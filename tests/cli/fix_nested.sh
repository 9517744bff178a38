#!/usr/bin/env bash
# One mount inside another's source: a fix can be repeated although the outer container may write there now.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p m/sub && chown 7001:7001 m m/sub
printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./m:/m"]\n  b:\n    image: x\n    user: "1002:1002"\n    volumes: ["./m/sub:/s"]\n' >compose.yaml
golden 0 bindright fix --sysroot "$T" --yes -q
touch m/sub/new
golden 0 bindright fix --sysroot "$T" --yes -q
golden 0 getfacl -n m m/sub m/sub/new

# An engine's state is refused where it is not there yet, too.
compose 'volumes: ["/var/lib/kubelet/of/this/test:/m"]'
mount -t tmpfs none /var/lib && mkdir /var/lib/bindright
golden 3 bindright fix --sysroot "$T" --yes -q
[ ! -e /var/lib/kubelet/of ] || die "it was made"
done_golden
