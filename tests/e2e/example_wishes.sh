#!/usr/bin/env bash
# The example of x-bindright: without it all seems to fit and the job fails, with it what is in the way is told and mended, and back, as its README.md tells it.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir "$engine/bin"
ln -s "$docker" "$engine/bin/docker"
export PATH=$engine/bin:$PATH TMPDIR=$work
grep -v '^www-data:' /etc/passwd >"$engine/passwd"
echo 'www-data:x:33:33::/nowhere:/usr/sbin/nologin' >>"$engine/passwd"
grep -v '^www-data:' /etc/group >"$engine/group"
echo 'www-data:x:33:' >>"$engine/group"
mount --bind "$engine/passwd" /etc/passwd
mount --bind "$engine/group" /etc/group

# between TITLE TITLE: what is said from the one to the other, words with one blank between.
between() { sed -n "/^== $1/,/^== $2/p" "$engine/all" | tr -s ' \n' '  ' >"$out"; }

expect 0 "$BR_TOP/examples/x-bindright/run.sh"
cp "$out" "$engine/all"
cat "$err" >>"$engine/all"
between Without With
says "0 errors"
says_not "BR104"
says_not "published"
says "can't create /data/runs.log: Permission denied"
between 'With it' Make
says "user www-data"
says "'runs.log' owner is 0 (root)"
says "rw- is asked for (x-bindright, compose.yaml:12:17)"
says "'report' owner is"
says "r-x is asked for (x-bindright, compose.yaml:20:17)"
between Make And
says "gains uid:33 (www-data) --- -> rwx"
says "gains uid:1001 r-- -> r-x"
says "default: u::rwx,u:33:rwx,u:1001:rwx"
says "published: <p>fine</p>"
says "data/report.html # made after the fix <p>fine</p>"
between And nothing
says "-r--r--r-- 1 0 0"
says "-rw-r--r-- 1 1000 1000"
[ -z "$(ls -A "$work")" ] || die "it left something in TMPDIR"
[ -z "$("$docker" images -q bindright-demo-reports)" ] || die "it left its image"
