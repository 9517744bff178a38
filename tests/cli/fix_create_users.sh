#!/usr/bin/env bash
# --create-users makes the matching host user and group (on a copy of /etc), and undo removes them while they are as made.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

cp -a /etc "$T/etc"
mount --bind "$T/etc" /etc
: >/etc/subuid
: >/etc/subgid
sed -i '/^[^:]*:[^:]*:5501:/d' /etc/passwd /etc/group
printf 'services:\n  trainer:\n    image: example\n    user: "5501:5501"\n    volumes: ["./data:/data"]\n' >compose.yaml
mkdir data
cp /etc/passwd "$T/passwd" && cp /etc/group "$T/group"
golden 1 bindright plan --create-users
golden 0 bindright fix --yes
if getent passwd 5501; then die "it made a user unasked"; fi
golden 0 bindright undo --yes
golden 0 bindright fix --yes --create-users
golden 0 getent passwd 5501
golden 0 getent group 5501
golden 0 bindright check
golden 0 bindright undo --yes
cmp /etc/passwd "$T/passwd" || die "undo left a user behind"
cmp /etc/group "$T/group" || die "undo left a group behind"

# One that was changed since is left alone.
golden 0 bindright fix --yes --create-users -q
usermod -c somebody trainer
golden 1 bindright undo --yes
golden 0 getent passwd 5501
done_golden
