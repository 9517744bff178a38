#!/usr/bin/env bash
# SERVICE:CONTAINER-PATH takes who asks, where the path is and whether it may be written from the input.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p data/in cache && touch data/in/f && chown -R 7001:7001 data && chmod 711 data/in
ln -s in/f data/near && ln -s /elsewhere data/far && ln -s ../cache data/up
cat >compose.yaml <<'YAML'
services:
  app:
    image: example
    user: "1001:1001"
    group_add: [7001]
    volumes: ["./data:/data", "./cache:/data/cache:ro", "kept:/kept"]
  web:
    image: example
    volumes: ["./data:/data"]
  db:
    image: postgres:16
    volumes: ["./data:/var/lib/postgresql/data"]
volumes:
  kept: {}
YAML
golden 0 bindright explain --sysroot "$T" app:/data
golden 0 bindright explain --sysroot "$T" app:/data/in/f --need r
golden 1 bindright explain --sysroot "$T" app:/data/near --need rw
golden 1 bindright explain --sysroot "$T" app:/data/cache --need w
golden 1 bindright explain --sysroot "$T" app:/data --need w --read-only
golden 1 bindright explain --sysroot "$T" app:/data/in --need w --format json
golden 0 bindright explain --sysroot "$T" web:/data --user web=0:0 --need rwx
golden 2 bindright explain --sysroot "$T" web:/data
golden 2 bindright explain --sysroot "$T" app:/data/far
golden 2 bindright explain --sysroot "$T" app:/data/up
golden 2 bindright explain --sysroot "$T" app:/data/nothing
golden 2 bindright explain --sysroot "$T" app:/kept/x
golden 2 bindright explain --sysroot "$T" app:/other
golden 2 bindright explain --sysroot "$T" apq:/data
golden 2 bindright explain --sysroot "$T" app:/data --as 1
golden 2 bindright explain --sysroot "$T" app:/data --walk
golden 2 bindright explain --sysroot "$T" app:/data --caps CAP_CHOWN
golden 1 bindright explain --sysroot "$T" db:/var/lib/postgresql/data --need w
done_golden
