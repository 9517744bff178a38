#!/usr/bin/env bash
# x-bindright: what no key of compose can say, on a mount, a service and at the top; what it wishes is judged, planned, fixed and shown with its place.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

printf 'alice:x:7001:7001::/srv/work:/bin/sh\nbob:x:7002:7002::/srv/work:/bin/sh\n' | cat /etc/passwd - >"$T/passwd"
printf 'alice:x:7001:\nbob:x:7002:\n' | cat /etc/group - >"$T/group"
mount --bind "$T/passwd" /etc/passwd && mount --bind "$T/group" /etc/group
as() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "umask 022; $2"; }
fresh() {
	rm -rf models cache new && mkdir models cache
	echo weights >models/w && chmod 640 models/w && chmod 750 models
	echo old >cache/c
}
# wishes FOR-THE-TOP FOR-THE-SERVICE FOR-THE-FIRST-MOUNT
wishes() {
	cat >compose.yaml <<YAML
x-bindright: $1
services:
  app:
    image: example
    user: "1001:1001"
    x-bindright: $2
    volumes:
      - {type: bind, source: ./models, target: /models, x-bindright: $3}
      - ./cache:/cache
YAML
}

# Need: the first mount's own, the service's for the other. The command line counts before both.
fresh
wishes '{ignore: [{code: BR301, reason: the test is about something else}]}' '{need: rw}' '{need: r}'
golden 1 bindright check
golden 1 bindright check --need /models=rx --need /cache=r
golden 1 bindright check --format json
golden 0 bindright inspect
golden 0 bindright fix --yes
as 1001 'cat models/w && echo more >>cache/c' || die "not what was wished"
! as 1001 'echo >>models/w' 2>/dev/null || die "more than was wished"
# What is asked for cannot be had where the container sees it read-only.
fresh
wishes '{}' '{ignore: [BR301]}' '{need: rw}'
sed -i 's|target: /models|&, read_only: true|' compose.yaml
golden 1 bindright check --exclude '*'

# Users: whom the mount names gets that mount; whom the top names gets all; nobody gets more.
fresh
wishes '{users: [bob], ignore: [BR301]}' '{}' '{users: [7001], need: rw}'
golden 1 bindright plan
golden 0 bindright fix --yes -q
as 7001 'echo >>models/w' || die "alice was to get it"
! as 7001 'echo >>cache/c' 2>/dev/null || die "alice was to get the models only"
as 7002 'echo >>models/w && echo >>cache/c' || die "bob was to get both"
golden 0 bindright check -q
# A source that is made is theirs too.
fresh
wishes '{ignore: [BR301]}' '{}' '{users: [alice]}'
sed -i s,./cache,./new, compose.yaml
sed -i s,./models,./new/models, compose.yaml
golden 0 bindright fix --yes -q
getfacl -cpn new/models >"$T/acl"
golden 0 cat "$T/acl"

# Future files: default ACLs where they are wished for, and nowhere else.
fresh
wishes '{ignore: [BR301]}' '{}' '{future_files: true}'
golden 1 bindright plan
golden 0 bindright fix --yes -q
as 0 'echo new >models/n'
as 1001 'cat models/n >/dev/null' || die "what is made later was to be usable"
! getfacl -cp cache 2>/dev/null | grep -q default || die "nobody wished for this"
fresh
golden 1 bindright plan -q --no-future-files
fresh
wishes '{future_files: true, ignore: [BR301]}' '{}' '{future_files: false}'
golden 0 bindright fix --yes -q
getfacl -cp cache 2>/dev/null | grep -q default || die "the top wished for this"
! getfacl -cp models 2>/dev/null | grep -q default || die "the mount wished otherwise"

# Ignore: of a mount, of a service, at the top; the reason is kept.
fresh
wishes '{ignore: [{code: BR301, reason: a number is enough}]}' '{ignore: [{code: BR101, target: /cache, reason: a cache}]}' '{ignore: [BR102, BR103, {code: BR101, reason: it only looks}]}'
golden 0 bindright check -v --exclude '*'

# All of it is shown.
wishes '{users: [bob], ignore: [{code: BR301, reason: known, target: /cache}]}' '{future_files: true, need: rx}' '{users: [alice], ignore: [BR105, {code: BR505, reason: meant}]}'
golden 0 bindright inspect --origins
golden 0 bindright inspect --origins --format json

# Reclaim gives back to one user, whomever the input keeps.
fresh
chown -R 1001:1001 cache models
wishes '{users: [bob], ignore: [BR301]}' '{}' '{users: [alice]}'
golden 0 bindright reclaim --keep alice --yes -q
as 7001 'echo >>models/w' || die "alice was to get it back"

# What is wrong with it.
wishes '{users: [nosuch]}' '{}' '{}'
golden 2 bindright check
wishes '{ignore: [BR999]}' '{}' '{}'
golden 2 bindright check
wishes '{}' '{ignore: [{code: BR312, reason: x}]}' '{}'
golden 2 bindright inspect
wishes '{}' '{}' '{ignore: [BR015]}'
golden 2 bindright check
wishes '{}' '{need: rwq}' '{future_file: true}'
golden 2 bindright check
done_golden
