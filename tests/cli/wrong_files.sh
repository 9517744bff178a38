#!/usr/bin/env bash
# Compose files that are none: what is wrong at which character, and nothing on standard output.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data
# wrong LINES: these lines are the compose file.
wrong() {
	printf '%b' "$1" >compose.yaml
	printf '# %s\n' "$1" >>"$T/golden"
	golden 2 bindright check
	[ ! -s "$T/out" ] || die "something on standard output: $1"
}
app='services:\n  app:\n    image: x\n    user: "1:1"\n'
wrong ''
wrong '# nothing\n'
wrong '[]\n'
wrong 'services\n'
wrong 'services: []\n'
wrong 'services: text\n'
wrong 'services:\n\tapp: {}\n'
wrong 'services:\n  app: [\n'
wrong 'services:\n  app: {image: x\n'
wrong 'services:\n  app: "x\n'
wrong 'services:\n  app:\n    image: x\n   user: y\n'
wrong 'services:\n  app: {image: x}\n  app: {image: y}\n'
wrong 'services:\n  app: *nothing\n'
wrong 'services:\n  app: &a {image: x, x-a: *a}\n'
wrong 'services:\n  app: text\n'
wrong 'services:\n  "a b": {image: x}\n'
wrong 'services:\n  app: {}\n'
wrong 'service:\n  app: {image: x}\n'
wrong "${app}    volumes: ./data:/data\n"
wrong "${app}    volumes: {a: b}\n"
wrong "${app}    volumes: [1]\n"
wrong "${app}    volumes: [\"\"]\n"
wrong "${app}    volumes: [\"./data:\"]\n"
wrong "${app}    volumes: [\":/data\"]\n"
wrong "${app}    volumes: [\"./data:/data:ro:rw\"]\n"
wrong "${app}    volumes: [\"nosuch:/data\"]\n"
wrong "${app}    volumes: [{source: ./data, target: /data}]\n"
wrong "${app}    volumes: [{type: bnd, source: ./data, target: /data}]\n"
wrong "${app}    volumes: [{type: bind, source: ./data}]\n"
wrong "${app}    volumes: [{type: bind, target: /data}]\n"
wrong "${app}    volumes: [{type: bind, source: ./data, target: /data, red_only: true}]\n"
wrong "${app}    volumes: [{type: bind, source: ./data, target: /data, read_only: maybe}]\n"
wrong "${app}    volumes: [{type: bind, source: ./data, target: /data, bind: {create_host_path: 1}}]\n"
wrong "${app}    volumes: [\"\${X:?say where}:/data\"]\n"
wrong "${app}    volumes: [\"\${X:/data\"]\n"
wrong "${app}    volumes: [\"\$:/data\"]\n"
wrong "${app}    privileged: perhaps\n"
wrong "${app}    cap_add: CHOWN\n"
wrong "${app}    cap_add: [NOTHING]\n"
wrong "${app}    group_add: {a: 1}\n"
wrong "${app}    build: {contxt: .}\n"
wrong "${app}    extends: {service: nosuch}\n"
wrong "${app}    extends: {service: app}\n"
wrong "${app}    extends: {file: none.yaml, service: app}\n"
wrong "${app}    depends_on: [nosuch]\n"
wrong "${app}    secrets: [nosuch]\n"
wrong "${app}    configs: [nosuch]\n"
wrong "${app}    x-bindright: {ignore: {code: BR3O1}}\n"
wrong "${app}    x-bindright: {ignore: [{reason: x}]}\n"
wrong "${app}include: [none.yaml]\n"
wrong "${app}secrets: {key: {fil: ./key}}\n"
wrong 'services:\n  app: {image: x, user: "2147483648:1"}\n'
wrong 'services:\n  app: {image: x, user: [1]}\n'
wrong 'services: {app: {image: "\\x07"}}\x01\n'
wrong '\xff\xfe'
wrong 'services:\n  app:\n    image: \xff\n'
rm compose.yaml
golden 2 bindright check
golden 2 bindright check -f none.yaml
golden 2 bindright check -f data
golden 2 bindright check -f ''
golden 2 bindright inspect -f compose.yaml/compose.yaml
golden 2 bindright check -f /dev/null
golden 2 bindright check -f none1.yaml -f none2.yaml
printf 'services: {app: {image: x}}\n' >compose.yaml
golden 2 bindright check --env-file none.env
printf 'A="x\n' >bad.env
golden 2 bindright check --env-file bad.env
golden 2 bindright check -p 'Not A Name'
golden 2 bindright check --sysroot /none
done_golden
