#!/usr/bin/env bash
# A20: a report that root asks for in somebody's directory is written through nobody's link to what he could not write himself.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
echo precious >$T/precious
mkdir his && echo his >his/own && chown -R 7001:7001 his .
report() { "$BINDRIGHT" check --sysroot $T --format json -o "$1"; }
chown 7001:7001 .
for link in there there/in; do
	mkdir -p there && ln -s $T/precious there/in
	[ $link = there/in ] || { rm -r there && ln -s $T/precious there; }
	chown -h 7001:7001 $link
	keep $T/precious
	want 3 report $link
	says 'cannot write' 'a symbolic link on the way belongs to a user who may not write what it leads to'
	kept
	rm -r there
done
# A device, and a file that is not there yet.
ln -s /dev/full there && chown -h 7001:7001 there
want 3 report there
says 'a symbolic link on the way'
rm there
ln -s $T/new there && chown -h 7001:7001 there
want 3 report there
says 'a symbolic link on the way'
[ ! -e $T/new ] || die "made $T/new"
rm there
# To what is his, root's own links, what is new or there already, and what is no file.
ln -s his/own there && chown -h 7001:7001 there
want 1 report there
grep -q bindright.report his/own || die "nothing was written"
rm there && ln -s $T/precious there
want 1 report there
grep -q bindright.report $T/precious || die "nothing was written through root's link"
ln -s later link
want 1 report link
[ -s later ] || die "nothing was written through root's link to nothing"
for file in new new ./his/new $T/work/his/new /dev/null /dev/stdout; do
	want 1 report $file
done
head -c 10000 /dev/zero >new
want 1 report new
python3 -c 'import json; json.load(open("new"))' || die "not written over"
[ "$(stat -c %a his/new)" = 600 ] || die "open to others: $(stat -c %a his/new)"
mkfifo pipe
cat pipe >piped &
want 1 report pipe
wait
grep -q bindright.report piped || die "nothing came out of the pipe"
