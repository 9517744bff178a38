#!/usr/bin/env bash
# Podman's :idmap: an ID on disk is what the container sees, where the runtime does it.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data
touch data/file data/beyond
chown -R 1001:1002 data
chmod 700 data
# No ID of the mount: others may write, but nobody can.
chown 200000:200000 data/beyond
chmod 666 data/beyond
version=4.3
run() { # RUNTIME OPTIONS...
	local runtime=$1
	shift
	golden "$want" bindright check --engine podman --engine-version "$version" --sysroot "$T" -q -- podman --runtime "$runtime" run "$@" image
}
want=1 run runc -u 1001:1002 --uidmap 0:100000:65536 -v "$T/work/data:/data:idmap"
want=1 run crun -u 1001:1002 --uidmap 0:100000:65536 -v "$T/work/data:/data:idmap"
rm data/beyond
want=0 run crun -u 1001:1002 --uidmap 0:100000:65536 -v "$T/work/data:/data:idmap"
want=1 run crun -u 1002:1002 --uidmap 0:100000:65536 -v "$T/work/data:/data:idmap"
want=1 run crun -u 1001:1002 --uidmap 0:100000:65536 -v "$T/work/data:/data"
# Without a user namespace there is no map for it: the crun that comes with Podman 4 refuses, a later one leaves it out.
want=1 run crun -u 1001:1002 -v "$T/work/data:/data:idmap"
version=5.4
want=0 run crun -u 1001:1002 -v "$T/work/data:/data:idmap"
done_golden
