#!/usr/bin/env bash
# A named service brings what it depends on, as compose starts it; --no-deps leaves that out; a circle is refused.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir web db other && chown 1001:1001 web
cat >compose.yaml <<'YAML'
x-bindright: {ignore: [BR301]}
services:
  web: {image: example, user: "1001:1001", depends_on: [db], volumes: ["./web:/web"]}
  db: {image: example, user: "1002:1002", volumes: ["./db:/db"]}
  other: {image: example, user: "1003:1003", volumes: ["./other:/other"]}
YAML
golden 1 bindright check web
golden 0 bindright check web --no-deps
golden 0 bindright fix web --yes -q
golden 1 bindright check -q
sed -i 's/user: "1002:1002"/&, links: ["web:w"]/' compose.yaml
golden 2 bindright check other
done_golden
