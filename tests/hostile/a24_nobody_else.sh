#!/usr/bin/env bash
# A24: whoever could do nothing before can do nothing after, and whoever could still can.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f secret d/g
mkdir -m 700 above && mv data above/ && chown 0:0 above
compose 'volumes: ["./above/data:/data"]'
chmod 600 above/data/secret && chmod 640 above/data/f && chown 7001:7100 above/data/f above/data/d
chmod 1777 above/data/d
keep above
chmod 711 above
# who can do what: every account and one stranger, every file, every way.
probe() {
	local who file
	for who in 7001:7001 7100:7100 7300:7100 1002:1002 65534:65534; do
		for file in above/data/f above/data/secret above/data/d/g; do
			as $who test -r $file && echo "$who reads $file"
			as $who test -w $file && echo "$who writes $file"
		done
		for file in above/data above/data/d above; do
			as $who test -x $file && echo "$who enters $file"
			as $who touch $file/new && echo "$who makes in $file" && rm -f $file/new
		done
		as $who mv above/data/d/g above/data/d/h && echo "$who moves" && mv above/data/d/h above/data/d/g
	done
	true
}
for strategy in auto acl chown; do
	probe >before
	stat -c '%a %u:%g' above . >ancestors
	want 0 fix -q --strategy $strategy
	may 1001 sh -c 'echo x >>above/data/secret && echo x >>above/data/f && echo x >>above/data/d/g'
	probe >after
	diff before after >$T/out || die "somebody else gained or lost by $strategy"
	stat -c '%a %u:%g' above . | cmp -s - ancestors || die "a directory above was changed"
	find above/data -perm /0007 -type f -newer $T/etc/passwd | grep -v d/g | grep . && die "others have bits"
	want 0 undo
	probe >after
	cmp -s before after || die "undo is not exact"
done
