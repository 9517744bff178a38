#!/usr/bin/env bash
# What real containers left behind goes back to a host user; they can go on with it, and undo brings it all back.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

{ cat /etc/passwd && printf 'alice:x:47001:47001::/nonexistent:/bin/sh\n'; } >passwd
{ cat /etc/group && printf 'alice:x:47001:\n'; } >group
mount --bind passwd /etc/passwd
mount --bind group /etc/group
mkdir data && chown 47001:47001 data && chmod 777 data
cat >compose.yaml <<'YAML'
services:
  trainer:
    image: busybox
    user: "1001:1001"
    volumes: ["./data:/data"]
  root:
    image: busybox
    volumes: ["./data:/data"]
YAML
in_container 1001:1001 "$work/data" -- 'umask 077; mkdir /data/run; echo 1 >/data/run/log; echo 2 >/data/run/model'
in_container 0:0 "$work/data" -- 'echo 3 >/data/by-root; chmod 644 /data/by-root; mkdir /data/root; echo 4 >/data/root/f'
as_alice() { setpriv --reuid 47001 --regid 47001 --clear-groups "$@"; }
as_alice rm data/run/log 2>/dev/null && die "alice could delete it before"
snapshot data >before
expect 1 "$BINDRIGHT" reclaim --keep alice --dry-run
says 'gains  uid:47001 (alice)'
expect 0 "$BINDRIGHT" reclaim --keep alice --yes
snapshot data >after
[ -z "$(find data ! -user alice)" ] || die "not everything is hers: $(find data ! -user alice)"
can 1001:1001 "$work/data" -- 'echo x >>/data/run/model && cat /data/run/log && touch /data/run/new && rm /data/run/new' ||
	die "the container cannot go on"
can 0:0 "$work/data" -- 'echo x >>/data/root/f' || die "root's container cannot go on"
can 1003:1003 "$work/data" -- 'cat /data/run/model' && die "a stranger can read"
as_alice sh -c 'echo y >>data/run/model && chmod 640 data/by-root && rm data/run/log data/root/f && rmdir data/root' ||
	die "alice cannot use what is hers"
# What was deleted and changed meanwhile is told; the rest is put back.
expect 1 "$BINDRIGHT" undo --yes
[ "$(stat -c '%u:%g %a' data/run/model)" = '1001:1001 600' ] || die "undo left the model alone"
