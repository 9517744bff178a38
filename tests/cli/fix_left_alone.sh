#!/usr/bin/env bash
# What is not ours to change is listed with the option that would include it; the exit status says that it does not fit yet.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/.ssh && touch data/theirs data/secret data/suid data/.ssh/id_rsa && echo x >data/linked
chown -R 7001:7001 data && chown 7007:7007 data/theirs && chown 0:0 data/secret data/linked
chmod 600 data/secret && chmod 4755 data/suid
ln data/linked outside
golden 1 bindright fix --sysroot "$T" --yes
golden 1 bindright fix --sysroot "$T" --yes --from 7007,0 --privileged-files
golden 0 getfacl -n data/theirs data/secret data/suid data/.ssh/id_rsa data/linked
golden 0 bindright undo --yes
golden 0 bindright undo --yes
golden 0 bindright history

# A setuid file that is the source itself: what is in it is known by its own descriptor.
cp /bin/true tool && chown 0:0 tool && chmod 4640 tool
compose 'volumes: ["./tool:/usr/bin/tool"]'
golden 0 bindright fix --sysroot "$T" --yes -q --strategy chown --privileged-files
golden 0 stat -c '%u:%g %a' tool
golden 0 bindright undo --yes
golden 0 stat -c '%u:%g %a' tool
done_golden
