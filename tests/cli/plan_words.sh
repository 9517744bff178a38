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
done_golden
