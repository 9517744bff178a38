#!/usr/bin/env bash
# Files that somebody else's words name: root reads them only where whoever may have written those words could read them, and nothing of them is shown.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

printf 'alice:x:7001:7001::/srv/work:/bin/sh\nbob:x:7002:7002::/srv/work:/bin/sh\n' | cat /etc/passwd - >"$T/passwd"
printf 'alice:x:7001:\nbob:x:7002:\nteam:x:7500:alice\nempty:x:7501:\n' | cat /etc/group - >"$T/group"
mount --bind "$T/passwd" /etc/passwd && mount --bind "$T/group" /etc/group
mkdir -m 700 $T/private
secret=$T/private/secret
printf 'HUSH-1: [\nHUSH-2 HUSH-3\nFROM HUSH-4 HUSH-5 HUSH-6\n' >$secret
chmod 600 $secret
mkdir data sub && chown -R 7001:7001 .
app='services: {app: {image: x, user: "1:1"'
# file NAME TEXT [OWNER [MODE]]
file() { rm -f "$1" && printf %b "$2" >"$1" && chown "${3:-7001:7001}" "$1" && chmod "${4:-644}" "$1"; }
# refused COMMAND...: with a message that has a place and shows nothing.
refused() {
	golden 2 "$@"
	! grep -q HUSH "$T/out" "$T/err" || die "it shows what it must not: $*"
	grep -qE 'not (read|followed) as root' "$T/err" || die "refused for another reason: $* $(cat "$T/err")"
}
# understood COMMAND...: it was read, and is wrong in itself.
understood() {
	"$@" >"$T/out" 2>"$T/err" </dev/null || true
	grep -q HUSH "$T/out" "$T/err" || die "it was not read: $* $(cat "$T/err" compose.yaml)"
}
check() { bindright check "$@"; }

# Each way of naming a file.
for path in $secret ../private/secret sub/../../private/secret /proc/self/root$secret; do
	file compose.yaml "include: [$path]\n$app}}\n"
	refused check
done
file compose.yaml "include: [{path: sub/c.yaml, env_file: $secret}]\n$app}}\n"
file sub/c.yaml 'services: {b: {image: x}}\n'
refused check
file compose.yaml "services: {app: {extends: {file: $secret, service: x}}}\n"
refused check
file compose.yaml "$app, env_file: [{path: $secret, required: false}]}}\n"
refused check
file compose.yaml "services: {app: {user: 'x', build: {context: ., dockerfile: $secret}}}\n"
refused check
file compose.yaml "services: {app: {user: 'x', build: {context: sub, dockerfile_inline: 'FROM x'}}}\n"
file .env "COMPOSE_FILE=$secret\n"
refused check
file .env "NAME=$secret\n"
file compose.yaml "$app, env_file: '\${NAME}'}}\n" 0:0
refused check
rm .env
# Root's own words, but somebody else's brought them in.
file compose.yaml 'include: [sub/c.yaml]\n'
file sub/c.yaml "include: [$secret]\n" 0:0
refused check
file README.md "Run it:\n\n    docker run --env-file $secret -u 1:1 x\n"
refused check -f README.md
file compose.yaml "include: [$secret]\n$app}}\n"
stdin() { bindright check -f - <compose.yaml; }
refused stdin
# A descriptor means something to root's shell only.
file compose.yaml "include: [/dev/fd/9]\n$app}}\n"
descriptor() { bindright check 9<$secret; }
refused descriptor

# Links on the way, whoever's they are.
ln -s $T/private sub/of_root && ln -s $T/private sub/of_alice && chown -h 7001:7001 sub/of_alice
file compose.yaml "include: [sub/of_root/secret]\n$app}}\n"
refused check
file compose.yaml "include: [sub/of_alice/secret]\n$app}}\n"
refused check

# Who may have written it: by everybody's bits, a group that somebody is in, an ACL.
as_written_by() {
	file compose.yaml "include: [$secret]\n$app}}\n" "$1" "$2"
}
as_written_by 0:0 666
refused check
as_written_by 0:7500 664
refused check
as_written_by 0:7001 664
refused check
as_written_by 0:0 644 && setfacl -m u:7002:rw compose.yaml
refused check
as_written_by 0:0 644 && setfacl -m g:7500:rw compose.yaml
refused check
# Nobody else can: these are root's words.
as_written_by 0:0 664
understood check
as_written_by 0:7500 644
understood check
as_written_by 0:7501 664
understood check
as_written_by 0:0 644 && setfacl -m u:7002:rw,m::r compose.yaml
understood check
as_written_by 0:0 644 && setfacl -m u:7002:r,g::rw,m::rw compose.yaml
understood check
# Whoever asked root is trusted, and root's own words are.
as_written_by 7001:7001 644
sudo() { SUDO_UID=7001 SUDO_GID=7001 SUDO_USER=alice bindright check; }
understood sudo
rm compose.yaml
understood check -f $secret
file compose.yaml "$app}}\n"
understood check --env-file $secret
understood check -f compose.yaml -f $secret
listed() { COMPOSE_FILE=compose.yaml:$secret bindright check; }
understood listed
# What they can read is read; a group that both are in is enough.
file compose.yaml "include: [$secret]\n$app}}\n"
chmod 711 $T/private && chmod 644 $secret
understood check
chmod 640 $secret && chgrp 7500 $secret
understood check
chgrp 7002 $secret
refused check
# Root's .env beside somebody's compose file is the caller's, not named by it.
file compose.yaml "$app}}\n"
file .env 'A=1\n' 0:0 600
bindright inspect >/dev/null || die "the default .env was refused"
done_golden
