#!/usr/bin/env bash
# Whose rules apply, and which IDs of the host a container has: engines without root, userns-remap, their files and their errors.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p etc/docker data
cat >etc/passwd <<'END'
root:x:0:0::/root:/bin/sh
rl:x:2001:2001::/home/rl:/bin/sh
bare:x:2002:2002::/home/bare:/bin/sh
twice:x:2003:2003::/home/twice:/bin/sh
both:x:2004:2004::/home/both:/bin/sh
END
printf 'root:x:0:\nrl:x:2001:\nbare:x:2002:\ntwice:x:2003:\nboth:x:2004:\n' >etc/group
cat >etc/subuid <<'END'
# ranges of users
rl:100000:65536
twice:300000:1000
twice:200000:65536
both:400000:10
2004:500000:10
END
sed 's/^rl:1/rl:2/' etc/subuid >etc/subgid
id_of() { golden "$1" bindright id "${@:2}" --sysroot "$T/work"; }

# Without root: 0 is the user, 1 and up are the ranges.
id_of 0 0 --engine docker-rootless --engine-user rl
id_of 0 1001 --engine docker-rootless --engine-user 2001
id_of 0 2001 --engine podman-rootless --engine-user rl
id_of 0 65537 --engine podman-rootless --engine-user rl
id_of 0 1001 --engine podman-rootless --engine-user rl --format json
# Several ranges: sorted by start.
id_of 0 65537 --engine podman-rootless --engine-user twice
# By name and by number together.
id_of 0 11 --engine podman-rootless --engine-user both
# None: Podman has the user alone, Docker does not start.
id_of 0 1 --engine podman-rootless --engine-user bare
id_of 2 1 --engine docker-rootless --engine-user bare
id_of 2 1 --engine docker-rootless --engine-user nobody-of-here
id_of 2 1 --engine docker-rootless --engine-user root
id_of 2 1 --engine podman-rootless
id_of 2 1 --engine podman --engine-user rl
id_of 0 1 --engine podman

# userns-remap: ranges in the order of the file; numbers go before names.
remap() {
	printf '%s\n' "$1" >etc/docker/daemon.json
	id_of "${3:-0}" "$2"
}
remap '{"userns-remap": "rl"}' 1001
remap '{"userns-remap": "2001:2001"}' 0
remap '{"userns-remap": "twice"}' 1000
remap '{"userns-remap": "both"}' 0
remap '{"userns-remap": ""}' 0
remap '{"userns-remap": "root"}' 0
remap '{"debug": true}' 0
: >etc/docker/daemon.json
id_of 0 7
remap '{"userns-remap": "default"}' 0 2
remap '{"userns-remap": "nobody-of-here"}' 0 2
remap '{"userns-remap": "rl:nogroup-of-here"}' 0 2
remap '{"userns-remap": "bare"}' 0 2
remap '{"userns-remap": ["rl"]}' 0 2
remap "$(printf '{\n\t"debug": true,\n\t"userns-remap": "rl",,\n}')" 0 2
remap 'userns-remap: rl' 0 2
printf '{\n\t"userns-remap": "rl"\n}\n' >other.json
id_of 0 5 --daemon-config other.json
id_of 2 5 --daemon-config missing.json
id_of 2 5 --daemon-config other.json --engine podman
rm etc/docker/daemon.json

# Ranges that no engine starts with.
ranges() {
	printf '%s\n' "$@" >etc/subuid
	id_of 2 0 --engine podman-rootless --engine-user rl
}
ranges 'rl:100000'
ranges 'rl:100000:65536:1'
ranges 'rl:100000:0x10'
ranges 'rl:-1:65536'
ranges 'rl:100000:0'
ranges 'rl:4294967290:6'
ranges 'rl:100000:65536' 'rl:165535:10'
ranges 'rl:2000:10'
printf 'rl:100000:65536\n' >etc/subuid

# Versions.
id_of 0 0 --engine podman --engine-version 4.3
for version in 4 4.3.1 v4.3 4.100 .3; do
	id_of 2 0 --engine podman --engine-version $version
done

# In a check: the container's IDs are the host's of the range, and root's rights end where the range ends.
compose 'volumes: ["./data:/data"]'
chown 1001:1001 data && chmod 755 data
golden 1 bindright check --sysroot "$T/work" --engine podman-rootless --engine-user rl
chown 101000:201000 data
golden 0 bindright check --sysroot "$T/work" --engine podman-rootless --engine-user rl
golden 0 bindright inspect --sysroot "$T/work" --engine podman-rootless --engine-user rl --origins
sed -i 's/user: .*/user: "70000:70000"/' compose.yaml
golden 1 bindright check --sysroot "$T/work" --engine podman-rootless --engine-user rl
printf '{"userns-remap": "rl"}\n' >etc/docker/daemon.json
sed -i 's/user: .*/user: "0:0"/' compose.yaml
chown 0:0 data
golden 1 bindright check --sysroot "$T/work"
echo '    userns_mode: host' >>compose.yaml
golden 0 bindright check --sysroot "$T/work"
sed -i 's/userns_mode: host/privileged: true/' compose.yaml
golden 1 bindright check --sysroot "$T/work"
done_golden
