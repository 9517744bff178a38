#!/usr/bin/env bash
# A source that is a file has nothing below it; what is said of several is said once.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\n' >etc/passwd && printf 'root:x:0:\n' >etc/group
echo >f && chown 7007:7007 f && chmod 640 f
compose 'volumes: ["./f:/f"]'
cat >>compose.yaml <<'END'
  second:
    image: example
    user: "1002:1002"
    volumes: ["./f:/f:ro"]
END
golden 1 bindright plan --sysroot .
chown 0:0 f && chmod 600 f
golden 1 bindright plan --sysroot .
# Without root there is nothing to give back but by root.
echo 'alice:x:7001:7001::/srv/alice:/bin/sh' >>etc/passwd && echo 'alice:x:7001:' >>etc/group
compose 'volumes: ["./data:/data"]'
mkdir -p data/d && touch data/d/f data/mine && chown -R 1001:1001 data && chown 7001:7001 . data data/mine
golden 1 setpriv --reuid 7001 --regid 7001 --clear-groups "$BINDRIGHT" reclaim --sysroot . --yes
[ "$(stat -c %u data/d/f)" = 1001 ] || die "it was changed"
done_golden
