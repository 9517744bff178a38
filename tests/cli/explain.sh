#!/usr/bin/env bash
# One path, step by step: who is judged by which class, what overrides it, and both ways to a yes.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/home/alice:/bin/sh\n' >../etc.passwd
mkdir -p ../etc && mv ../etc.passwd ../etc/passwd
printf 'root:x:0:\nalice:x:7001:\nteam:x:7100:alice\n' >../etc/group
mkdir -p a/b && touch a/b/f a/run && chown -R 7001:7100 a && chmod 750 a a/b && chmod 640 a/b/f && chmod 755 a/run
ln -s a/b link
mkdir acl && chown 7001:7100 acl && chmod 700 acl && setfacl -m u:1001:rwx,g:1002:r-x,m::r-x acl
ask() { golden "$1" bindright explain --sysroot "$T" "${@:2}"; }

ask 0 a --as alice --need rwx
ask 0 a --as 7001
ask 1 a --as 1001:7100 --need w
ask 1 a --as 1001:1001,+7100,+27 --need rw
ask 0 a --as 1001:1001,+team --need rx
ask 1 link/f --as 1001:1001 --walk --need r
ask 0 a --as 1001:1001 --caps DAC_READ_SEARCH --need r
ask 1 a --as 1001:1001 --caps CAP_DAC_READ_SEARCH,CAP_CHOWN --need rw
ask 0 a --as 1001:1001 --caps cap_dac_override --need rw
ask 0 a --as 0:0
ask 1 a/run --as 1001:1001 --need w
ask 1 acl --as 1001:1001 --need w
ask 1 acl --as 1:1002 --need w
ask 1 a --as 2:2 --uid-map 0:7000:10 --gid-map 0:7095:10 --need rw
ask 1 a --as alice --need w --read-only
ask 0 a --as alice --need r --read-only
ask 1 link/f --as 1001:1001 --walk --need r -q
ask 0 acl --as 1001:1001 --format json
ask 1 link/f --as 2:2 --uid-map 0:7000:10 --walk --need rw --format json
python3 -m json.tool <"$T/out" >/dev/null || die "no JSON"

# A link in a sticky directory that everybody can write is followed for its owner and the directory's (proc_sys_fs(5)).
mkdir sticky && chmod 1777 sticky && touch open && chmod 644 open && ln -s ../open sticky/link && chown -h 7001 sticky/link
for who in 7001 1001; do
	want=yes said=yes
	setpriv --reuid "$who" --clear-groups cat sticky/link >/dev/null 2>&1 || want=no
	bindright explain sticky/link --as "$who:$who" --walk --need r >said || said=no
	[ "$said" = "$want" ] || die "as $who: $(cat said)"
	[ "$said" = yes ] || grep -q '\[protected-symlinks\]' said || die "as $who: $(cat said)"
done

# What is said of this inode makes it a yes, for everything that stands there as a command.
try() { # PATH WHO NEED
	local way
	way=$("$BINDRIGHT" explain "$1" --as "$2" --need "$3" --format json | python3 -c '
import json, sys
for step in json.load(sys.stdin)["steps"]:
    if not step["granted"]: print(step["change"]["inode"])')
	[ -n "$way" ] || die "explain $*: no way"
	sh -c "$way" || die "explain $*: $way"
	"$BINDRIGHT" explain "$1" --as "$2" --need "$3" -q >/dev/null || die "explain $*: still a no after: $way"
}
mkdir try && cd try
mkdir -m 700 d && touch f g h && chmod 600 f g && chown 1001 g && chmod 000 g && mkdir e && setfacl -m u:7:rx,m::rwx e
try "$PWD/d" 1001:1001 rwx
try "$PWD/f" 1001:1001 rw
try "$PWD/g" 1001:1001 rw
try "$PWD/h" 1001:1001 x
try "$PWD/e" 7:7 rwx
mkdir i && chown 1001 i && chattr +i i 2>/dev/null && try "$PWD/i" 1001:1001 w
done_golden
