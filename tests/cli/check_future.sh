#!/usr/bin/env bash
# What the container will make, and who of the host can use it: foreseen by the directory's ACLs and setgid bit, and silent wherever it does not matter.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

printf 'alice:x:7001:7001::/srv/work:/bin/sh\nbob:x:7002:7002::/srv/work:/bin/sh\n' | cat /etc/passwd - >"$T/passwd"
printf 'team:x:7500:alice\n' | cat /etc/group - >"$T/group"
mount --bind "$T/passwd" /etc/passwd && mount --bind "$T/group" /etc/group
chown 7001:7001 .
compose 'volumes: ["./data:/data"]'
only() { bindright check -q "$@" | grep BR106 || echo silent; }
fresh() {
	rm -rf data && mkdir data && chown "${1:-7001:7001}" data && chmod "${2:-755}" data
}

# Alice keeps access unasked: the project directory is hers.
fresh && setfacl -m u:1001:rwx data
golden 0 bindright check
golden 0 bindright check --keep bob -q
golden 0 bindright fix --yes --future-files -q
golden 0 only
# The promise holds: what is made now is hers, too.
setpriv --reuid 1001 --regid 1001 --clear-groups sh -c 'umask 022; echo >data/f; mkdir data/d; echo >data/d/f'
setpriv --reuid 7001 --regid 7001 --clear-groups sh -c 'echo >>data/f && echo >>data/d/f && rm -r data/d data/f' ||
	die "alice cannot use what was made under the default ACL"

# A group that they share, in a setgid directory: the umask is all that is in the way.
fresh 7001:7500 2775
compose 'group_add: [7500]' 'volumes: ["./data:/data"]'
golden 0 bindright check
# Hers by name, and sticky: not even deleted.
compose 'volumes: ["./data:/data"]'
fresh && chown 1001 data && chmod 1755 data && setfacl -m u:7001:rwx data
golden 0 only
# She may only look: then looking is enough, and a closed default ACL is not.
fresh 1001:1001 755
golden 0 only
setfacl -d -m u::rwx,g::-,o::- data
golden 0 only

# Root's files: the oldest trap of all.
fresh
printf 'services:\n  app:\n    image: example\n    user: "0:0"\n    volumes: ["./data:/data"]\n' >compose.yaml
golden 0 only

# Silent: nothing is written, it is not hers today, she is root or the container's user, the image manages its data, it does not fit anyhow.
fresh && setfacl -m u:1001:rwx data
compose 'volumes: ["./data:/data:ro"]'
golden 0 only
compose 'volumes: ["./data:/data"]'
fresh 1001:1001 700
golden 0 only
fresh && setfacl -m u:1001:rwx data
golden 0 only --keep root
mkdir closed && mv data closed/ && chmod 700 closed
sed -i s,./data,./closed/data, compose.yaml
golden 0 only
mv closed/data . && compose 'volumes: ["./data:/data"]'
sed -i 's/1001:1001/7001:7001/' compose.yaml
golden 0 only
printf 'services:\n  db:\n    image: postgres:16\n    volumes: ["./data:/var/lib/postgresql/data"]\n' >compose.yaml
setfacl -m u:999:rwx data
golden 0 only
fresh
compose 'volumes: ["./data:/data"]'
golden 0 only
done_golden
