#!/usr/bin/env bash
# What containers left behind goes back to the one who keeps it; they can still use it; undo brings everything back.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/srv/alice:/bin/sh\nbob:x:7007:7007::/srv/bob:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nalice:x:7001:\nbob:x:7007:\n' >etc/group
compose 'volumes: ["./data:/data"]'
cat >>compose.yaml <<'END'
  reader:
    image: example
    user: "1002:1002"
    volumes: ["./data:/data:ro"]
END
mkdir -p data/made data/sticky && touch data/{mine,private,shared,made/f,rooted,secret,bobs,suid,linked,.env}
mkdir data/.ssh && touch data/.ssh/id_rsa
ln data/linked outside && ln -s f data/made/link
chown -hR 1001:1001 data && chown 7001:7001 data data/mine && chown 0:0 data/rooted data/secret && chown 7007:7007 data/bobs
chmod 600 data/private data/secret && chmod 664 data/shared && chmod 4755 data/suid && chmod 1777 data/sticky
setfacl -m u:1001:rwx data && setfacl -m u:1001:rw data/mine
can() { setpriv --reuid "$1" --regid "$1" --clear-groups test "$2" "$3"; }
getfacl -R -n data >before
golden 2 bindright reclaim --sysroot .
golden 2 bindright reclaim --sysroot . --keep root
golden 2 bindright reclaim --sysroot . --keep alice --keep bob
golden 1 bindright reclaim --sysroot . --keep alice -q
golden 1 bindright reclaim --sysroot . --keep alice --dry-run
getfacl -R -n data | cmp - before || die "something was changed"
golden 1 env SUDO_UID=7001 "$BINDRIGHT" reclaim -q --sysroot . --yes
# In an order that no file system decides about.
find data ! -type l | LC_ALL=C sort | getfacl -n - >after
golden 0 cat after
for f in private shared made/f; do
	for bit in -r -w; do
		can 1001 $bit data/$f || die "the container lost $f"
		can 7001 $bit data/$f || die "alice did not get $f"
	done
done
can 1002 -r data/made/f || die "the reader lost made/f"
can 7007 -r data/private && die "bob gained private"
# Again, there is nothing to do; undo puts everything back.
golden 1 bindright reclaim -q --sysroot . --keep alice --yes
golden 0 bindright history
golden 0 bindright undo --yes
getfacl -R -n data | cmp - before || die "undo did not bring everything back"
golden 1 bindright reclaim --sysroot . --keep alice --from root,bob --privileged-files --format json --yes
golden 0 stat -c '%n %U:%G %u:%g %a' data/secret data/bobs data/suid
# Without ACLs a group that the container has will do; a file that only its owner could write stays.
golden 0 bindright undo -q --yes
mount -t ramfs -o mode=755 none data && mkdir data/sticky data/d && touch data/d/shared data/own data/sticky/his
chown -R 1001:1001 data/d data/own data/sticky/his && chmod 775 data/d && chmod 664 data/d/shared && chmod 1777 data/sticky
golden 1 bindright reclaim -q --sysroot . --keep alice --yes
golden 0 stat -c '%n %u:%g %a' data/d data/d/shared data/own
umount data
# A rootless engine's container: its subordinate range goes back too, a number out of it does not.
rm -rf data outside && mkdir data && touch data/{a,b,beyond} && chown 7001:7001 data
chown 101000:101000 data/a && chown 165535:165535 data/b && chown 165536:165536 data/beyond && chmod 600 data/a data/b
echo 'alice:100000:65536' | tee etc/subuid >etc/subgid
printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n    volumes: ["./data:/data"]\n' >compose.yaml
bindright reclaim --sysroot . --engine podman-rootless --engine-user alice --keep alice --yes >out || true
grep -q 'chown  *[^ ]*/data/a: 101000:101000 -> alice:101000' out || die "$(cat out)"
golden 0 stat -c '%n %u:%g %a' data data/a data/b data/beyond
golden 0 getfacl -n data/a data/b
# What the root of a remapped engine could do by its capability alone, its entries let it do when the file is the host's.
rm -rf data && mkdir -p data/s && touch data/{a,s/f,roots} && chmod 600 data/a data/s/f && chmod 700 data/s
chown -R 101001:101001 data && chown 100000:100000 data/roots
printf '{"userns-remap": "alice"}\n' >daemon.json
printf '  root:\n    image: example\n    user: "0:0"\n    volumes: ["./data:/data"]\n' >>compose.yaml
unshare --user sleep 600 &
inside=$!
until [ "$(readlink /proc/$inside/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.05; done
echo '0 100000 65536' >/proc/$inside/uid_map && echo '0 100000 65536' >/proc/$inside/gid_map
as_root_inside() { nsenter --target $inside --user --setuid 0 --setgid 0 "$@"; }
as_root_inside sh -c 'echo >>data/a && ls data/s >data/s/f' || die "the namespace's root cannot use it before"
golden 0 bindright reclaim --sysroot . --daemon-config daemon.json --keep alice --yes
golden 0 getfacl -n data data/a data/s data/s/f data/roots
as_root_inside sh -c 'echo >>data/a && ls data/s >data/s/f && touch data/s/new && rm data/s/new' || die "the namespace's root lost it"
kill $inside
done_golden
