#!/usr/bin/env bash
# Words that other programs have for it, and words at the wrong place: the next step is said, and nothing is done.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir data && chown 7001:7001 data

# Commands and options of others.
for word in apply rollback lint status list version docker; do
	golden 2 bindright $word
done
golden 2 bindright check --json
golden 2 bindright fix --auto-approve
golden 2 bindright plan --out plan.json
golden 2 bindright check --fix
# With one dash they would be letters, and "-o utput=…" a file.
golden 2 bindright -version
golden 2 bindright plan -out=plan.json
golden 2 bindright plan -output=plan.json
golden 2 bindright check -format json
[ "$(echo ./*)" = './compose.yaml ./data' ] || die "something was written: $(echo ./*)"
# A run line without "--", whose options are partly ours.
golden 2 bindright check docker run --rm -v ./data:/data example
golden 2 bindright plan podman create -v ./data:/data example
golden 2 bindright docker run -v ./data:/data example
# What is no service.
golden 2 bindright check compose.yaml
golden 2 bindright check docker
golden 2 bindright check run docker
golden 2 bindright history 5

# Without --format json it is no plan that is saved.
bindright plan -o saved.json || [ $? = 1 ]
golden 2 bindright fix --plan saved.json --yes
rm saved.json

# What is undone is told from what never was, in JSON too.
golden 0 bindright undo --yes --format json
bindright fix --yes -q >/dev/null || die 'no fix'
id=$(bindright history | awk 'NR == 1 { print $1 }')
bindright undo --yes -q
golden 0 bindright undo --yes "$id"
golden 3 bindright undo last
golden 3 bindright history --prune 20200101T000000Z-00000000 --yes

# Root's fix, and somebody else who is to undo it.
printf 'alice:x:7001:7001::/srv/work:/bin/sh\n' | cat /etc/passwd - >"$T/passwd"
mount --bind "$T/passwd" /etc/passwd
chown 7001:7001 .
as_alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME=/srv/work "$@"; }
bindright fix --yes -q >/dev/null || die 'no fix'
id=$(bindright history | awk 'NR == 1 { print $1 }')
golden 3 as_alice "$BINDRIGHT" undo --yes "$id"
golden 3 as_alice "$BINDRIGHT" undo "$id"
done_golden
