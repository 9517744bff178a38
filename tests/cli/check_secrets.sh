#!/usr/bin/env bash
# Secrets that others on the host can read: everybody, members of a group, users of an ACL; not where a directory above keeps them out.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc
printf '%s\n' root:x:0:0::/root:/bin/sh alice:x:7001:7001::/srv:/bin/sh bob:x:7002:7002::/srv:/bin/sh \
	app:x:1001:1001::/srv:/bin/sh >etc/passwd
printf '%s\n' root:x:0: alice:x:7001: bob:x:7002: app:x:1001: team:x:7500:bob,app none:x:7600:app >etc/group
# The host's accounts are these; etc is where --sysroot looks for them.
secret() { bindright check -q --sysroot "$T/work" --keep alice | grep BR506 || echo silent; }
mkdir s && echo hush >s/password
printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n    secrets: [password]\n  other:\n    image: example\n    user: "1001:1001"\n    secrets: [password]\nsecrets:\n  password: {file: ./s/password}\n' >compose.yaml
mode() { setfacl -b s/password; chown "$1" s/password && chmod "$2" s/password; }

# Everybody: said once, with the command that leaves it to the container.
mode 7001:7001 644
golden 0 bindright check --sysroot "$T/work" --keep alice
eval "$(bindright check --sysroot "$T/work" --keep alice --format json | sed -n 's/.*"setfacl/setfacl/p' | sed 's/"$//' | head -1)"
getfacl -n --omit-header s/password | tr '\n' ' ' | grep -q 'user:1001:r-- .*other::---' || die "the command was not one"
golden 0 secret
# Its own file, or a group of its own: others are simply shut out.
mode 1001:7001 604
golden 0 bindright check app --sysroot "$T/work" --keep alice
# A directory above keeps them out.
chmod 700 s && mode 7001:7001 644
golden 0 secret
chmod 755 s
# By group, and by ACL.
mode 7001:7500 640
golden 1 bindright check --sysroot "$T/work" --keep alice
mode 7001:7600 640
golden 0 secret
mode 7001:7001 600 && setfacl -m u:7002:r,u:1001:r s/password
golden 0 secret
setfacl -m m::- s/password
golden 0 secret
mode 7002:7002 600
golden 0 secret
mode 7001:7001 640
golden 0 secret

# Private by name: mounted by itself, or among other things; harmless ones of that ending are told apart.
chmod 644 s/password
compose 'volumes: ["./tls.key:/etc/tls.key:ro", "./pub.key:/etc/pub.key:ro", "./tls.crt:/etc/tls.crt:ro"]'
touch tls.key pub.key tls.crt
golden 0 secret
compose 'volumes: ["./home:/home"]'
mkdir -p home/.ssh home/fixtures && touch home/.ssh/id_ed25519 home/.ssh/id_ed25519.pub home/fixtures/test.key home/.netrc home/.pgpass
chmod 600 home/.pgpass && chown -R 1001:1001 home
golden 0 bindright check --sysroot "$T/work" --keep alice
chmod 700 home/.ssh && chmod 600 home/.netrc
golden 0 secret
done_golden
