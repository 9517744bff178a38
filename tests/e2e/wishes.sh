#!/usr/bin/env bash
# A service whose image cannot tell what it needs: it writes a file that nobody may write, and runs a script that nobody may run. Without x-bindright all
# seems to fit and the real compose fails; with it check says so, fix makes it work, and alice can use what the container makes.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

printf 'alice:x:7001:7001::/nowhere:/bin/sh\nmallory:x:7002:7002::/nowhere:/bin/sh\nnonroot:x:1001:1001::/nowhere:/bin/sh\n' |
	cat /etc/passwd - >"$engine/passwd"
printf 'nonroot:x:1001:\n' | cat /etc/group - >"$engine/group"
mount --bind "$engine/passwd" /etc/passwd && mount --bind "$engine/group" /etc/group
as() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -c "$2" 2>/dev/null; }

cat >compose.yaml <<'YAML'
services:
  registry:
    image: busybox
    user: "1001:1001"
    network_mode: none
    command: sh -c 'echo run >>/data/registry && /tools/report >/data/report && date >/data/new'
    volumes:
      - ./data:/data
      - ./tools:/tools:ro
YAML
cat >wishes.yaml <<'YAML'
x-bindright:
  ignore: [{code: BR403, reason: it is about other things}]
services:
  registry:
    volumes:
      - type: bind
        source: ./data
        target: /data
        x-bindright: {need: rw, future_files: true, users: [alice]}
      - type: bind
        source: ./tools
        target: /tools
        read_only: true
        x-bindright: {need: rx}
YAML
fresh() {
	rm -rf data tools && mkdir data tools
	echo first >data/registry && chmod 444 data/registry
	printf '#!/bin/sh\necho fine\n' >tools/report && chmod 644 tools/report
	chown 1001:1001 data
}

n=0
for compose in "$BR_TOP"/.build/compose/*/docker-compose; do
	[ -x "$compose" ] || continue
	runs() { "$compose" "$@" run --rm registry >"$out" 2>"$err" </dev/null; }
	n=$((n + 1))
	fresh
	expect 0 "$BINDRIGHT" check
	! runs -f compose.yaml || die "it was to fail"
	says "Permission denied"
	expect 1 "$BINDRIGHT" check -f compose.yaml -f wishes.yaml
	tr -s ' \n' '  ' <"$out" >"$out.flat" && mv "$out.flat" "$out"
	says "rw- is asked for (x-bindright, wishes.yaml:9:29)"
	says "r-x is asked for (x-bindright, wishes.yaml:14:29)"
	expect 0 "$BINDRIGHT" fix -f compose.yaml -f wishes.yaml --yes
	runs -f compose.yaml -f wishes.yaml || {
		cat "$out" "$err" >&2
		die "it was to work"
	}
	[ "$(cat data/report)" = fine ] || die "the script did not run"
	as 7001 'echo >>data/registry && echo >>data/new && rm data/report' || die "alice was to get it"
	! as 7002 'echo >>data/registry' || die "mallory was to get nothing"
	expect 0 "$BINDRIGHT" check -f compose.yaml -f wishes.yaml
	says_not BR106
done
[ "$n" -gt 0 ] || skip "needs tests/compose/fetch.sh .build/compose (make deps-ci)"
