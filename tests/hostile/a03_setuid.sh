#!/usr/bin/env bash
# A3: what runs as its owner never runs as another; nothing is changed that need not be.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 suid sgid both plain d/x
set_ids() { chmod 4755 data/suid && chmod 2755 data/sgid && chmod 6750 data/both; }
# An overlay cannot tell who has a file mapped: there they are left to whoever knows better.
put_back() {
	if [ "$fs" = overlay ]; then
		want 1 undo
		says 'all but its setuid, setgid and capabilities: somebody may still be writing to it'
		set_ids
	else
		want 0 undo
	fi
	kept
}
set_ids && chmod 2775 data/d
keep data
want 1 fix -q
owned 7001:7001:4755 data/suid
owned 7001:7001:2755 data/sgid
owned 7001:7001:6750 data/both
want 0 undo
kept
want 0 fix -q --privileged-files --strategy chown
for f in suid sgid both; do
	[ "$(stat -c %u data/$f)" = 1001 ] || die "$f was not changed"
	[ ! -u data/$f ] && [ ! -g data/$f ] || die "$f runs as its new owner"
done
[ -g data/d ] || die "a directory lost its setgid bit"
put_back
# At no moment it is the new owner's and setuid: looked at right after the change of owner.
meddled fchownat:1+ "! find data -user 1001 -type f -perm /6000 | grep ." 0 "$BINDRIGHT" fix --yes --sysroot $T --privileged-files --strategy chown
put_back
# What is right is not touched: its change time stays.
tree 1001 suid
chmod 4755 data/suid
touch data/wrong && chmod 644 data/wrong
before=$(stat -c %z data/suid)
want 0 fix -q --strategy chown
[ "$(stat -c %z data/suid)" = "$before" ] || die "an owner was set to what it was"
owned 1001:1001:4755 data/suid
[ "$fs" != overlay ] || exit 0
is_held() { [ "$(stat -c %Y data/suid)" = 1 ]; }
# What the new owner put into a file, or may still write into it, never runs as the old one.
tree 7001 suid sgid mine
chmod 4755 data/suid && chmod 2755 data/sgid && chmod 4750 data/mine
for how in written truncated opened mapped; do
	want 0 fix -q --privileged-files --strategy chown
	touch data/suid
	case $how in
	written) as 1001:1001 sh -c 'echo evil >>data/suid' ;;
	truncated) as 1001:1001 sh -c ': >data/suid' ;;
	opened | mapped)
		setpriv --reuid 1001 --regid 1001 --clear-groups /usr/bin/python3 - $how <<'END' &
import mmap, os, sys, time
fd = os.open("data/suid", os.O_RDWR)
if sys.argv[1] == "mapped":
    held = mmap.mmap(fd, 0)
    os.close(fd)
os.utime("data/suid", (1, 1))
time.sleep(3600)
END
		server=$!
		eventually is_held
		;;
	esac
	want 1 undo
	says 'data/suid: all but its setuid, setgid and capabilities'
	owned 7001:7001:755 data/suid
	owned 7001:7001:2755 data/sgid
	owned 7001:7001:4750 data/mine
	[ $how != written ] || grep -q evil data/suid || die "what was written is gone"
	want 1 undo
	owned 7001:7001:755 data/suid
	if [ -n "${server:-}" ]; then kill -9 $server && { wait $server || true; } 2>/dev/null; fi
	server=
	case $how in opened | mapped) want 0 undo ;; *) echo suid >data/suid && chmod 4755 data/suid ;; esac
	owned 7001:7001:4755 data/suid
	rm -rf $T/state/runs/*
done
