#!/usr/bin/env bash
# What a plan says will break tomorrow does break on a real engine, and what it leaves out on purpose stays out: a later chmod, an image that chmods, files of others; a read-only
# mount in the place of a part of another.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

two() { # SOURCE
	cat >compose.yaml <<-YAML
		services:
		  writer: {image: busybox, user: "1001:1001", volumes: ["./$1:/data"]}
		  reader: {image: busybox, user: "1002:1002", volumes: ["./$1:/data:ro"]}
	YAML
	rm -rf "$1" && mkdir -p "$1/d" && echo a >"$1/a" && echo b >"$1/d/b"
	chown -R 1000:1000 "$1" && chmod -R u=rwX,go= "$1"
}

# A chmod that takes bits from the group takes them from the entries.
two data
expect 1 "$BINDRIGHT" plan
says 'a later chmod below'
expect 0 "$BINDRIGHT" fix --yes
can 1001:1001 "$work/data" -- 'echo x >>/data/a' || die "the writer cannot write"
can 1002:1002 "$work/data" -- 'cat /data/a' || die "the reader cannot read"
in_container 1000:1000 "$work/data" -- 'chmod 640 /data/a'
can 1001:1001 "$work/data" -- 'echo x >>/data/a' && die "the mask was not rewritten"
can 1002:1002 "$work/data" -- 'cat /data/a' || die "reading is not the writer's bit"
in_container 1000:1000 "$work/data" -- 'chmod 600 /data/a'
can 1002:1002 "$work/data" -- 'cat /data/a' && die "the mask was not emptied"
expect 1 "$BINDRIGHT" check
says BR104
expect 0 "$BINDRIGHT" fix --yes
can 1001:1001 "$work/data" -- 'echo x >>/data/a' || die "not served again"

# What others make later: said, and so it is; with --future-files it is not said, and not so.
expect 0 "$BINDRIGHT" fix --yes
two data
expect 1 "$BINDRIGHT" plan
says 'will not be usable by uid 1001'
expect 0 "$BINDRIGHT" fix --yes
in_container 1000:1000 "$work/data" -- 'echo later >/data/later'
can 1001:1001 "$work/data" -- 'echo x >>/data/later' && die "what others make can be used"
two data
expect 0 "$BINDRIGHT" fix --yes --future-files
says_not 'will not be usable'
in_container 1000:1000 "$work/data" -- 'echo later >/data/later'
can 1001:1001 "$work/data" -- 'echo x >>/data/later' || die "what others make cannot be used"

# So for a service that comes later, beside the default ACL of that fix.
sed -i '/reader:/s/1002:1002/1003:1003/; /reader:/s/:ro//' compose.yaml
expect 0 "$BINDRIGHT" fix --yes --future-files
in_container 1001:1001 "$work/data" -- 'umask 077; echo later >/data/more; mkdir /data/dir; echo x >/data/dir/x'
can 1003:1003 "$work/data" -- 'echo x >>/data/more && rm /data/dir/x' || die "what the first makes, the second cannot use"
can 1000:1000 "$work/data" -- 'echo x >>/data/more && rmdir /data/dir' || die "the owner cannot"
can 1004:1004 "$work/data" -- 'cat /data/more' && die "anybody can"

# An image that is known to chmod its data: where it is alone it becomes the owner; beside others the plan says what its start does to their entries.
mkdir -p "$engine/rootfs/usr/local/bin"
cat >"$engine/rootfs/usr/local/bin/docker-entrypoint.sh" <<'END'
#!/bin/sh
chown -R 999:999 /var/lib/postgresql/data && chmod 700 /var/lib/postgresql/data
END
chmod 755 "$engine/rootfs/usr/local/bin/docker-entrypoint.sh"
echo 'postgres:x:999:999::/:/bin/sh' >>"$engine/rootfs/etc/passwd"
echo 'postgres:x:999:' >>"$engine/rootfs/etc/group"
tar -C "$engine/rootfs" -c . | "$docker" import --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
	--change 'ENV PATH=/usr/local/bin:/bin' - postgres:16 >/dev/null
start() { "$docker" run --rm --network none -v "$work/pg:/var/lib/postgresql/data" postgres:16; }
cat >compose.yaml <<'YAML'
services:
  db: {image: "postgres:16", volumes: ["./pg:/var/lib/postgresql/data"]}
  backup: {image: busybox, user: "1002:1002", volumes: ["./pg:/pg:ro"]}
YAML
mkdir pg && echo 16 >pg/VERSION && chown -R 999:999 pg && chmod 700 pg && chmod 600 pg/VERSION
expect 1 "$BINDRIGHT" plan
says 'changes modes there'
expect 0 "$BINDRIGHT" fix --yes
can 1002:1002 "$work/pg" -- 'cat /data/VERSION' || die "the backup cannot read"
start
can 1002:1002 "$work/pg" -- 'ls /data' && die "the start did not take it away"
expect 1 "$BINDRIGHT" check

# A read-only mount in the place of a part of another: nothing in it becomes writable.
mkdir -p nest/a && echo f >nest/f && echo g >nest/a/g && chown -R 1000:1000 nest && chmod -R u=rwX,go=rX nest
cat >compose.yaml <<'YAML'
services:
  app: {image: busybox, user: "1001:1001", volumes: ["./nest:/data", "./nest/a:/data/a:ro"]}
YAML
nested=(-v "$work/nest/a:/data/a:ro")
can 1001:1001 "$work/nest" "${nested[@]}" -- 'echo x >>/data/f' && die "it can before"
snapshot nest/a >before
expect 0 "$BINDRIGHT" fix --yes
snapshot nest/a | diff before - || die "the read-only part was changed"
can 1001:1001 "$work/nest" "${nested[@]}" -- 'echo x >>/data/f && cat /data/a/g && touch /data/n && rm /data/n' || die "it cannot"
expect 0 "$BINDRIGHT" check

# Docker maps no IDs for a mount, by whichever word: no such edit is ever offered for it.
for word in "-v $work/nest:/x:idmap" "--mount type=bind,src=$work/nest,dst=/x,idmap" "--mount type=bind,src=$work/nest,dst=/x,bind-idmap"; do
	# shellcheck disable=SC2086
	"$docker" run --rm --network none $word busybox true >"$out" 2>&1 && die "this Docker knows $word"
done
true
