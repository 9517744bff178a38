#!/usr/bin/env bash
# What was understood, for people and for programs, and where every value stands.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

cat >compose.yaml <<'YAML'
services:
  trainer:
    image: trainer:${TAG:-latest}
    build:
      context: .
      target: final
      args: {UID: 1001, EMPTY: }
    user: "1001:1001"
    group_add: [27]
    userns_mode: host
    privileged: true
    cap_add: [CHOWN]
    cap_drop: [ALL]
    read_only: true
    security_opt: [no-new-privileges]
    network_mode: host
    pid: host
    volumes:
      - ./data:/data:ro,z
      - {type: bind, source: ./out, target: /out, bind: {create_host_path: false, propagation: rshared}}
      - kept:/kept
      - bound:/bound
    secrets: [key]
    configs: [conf]
  web:
    image: web
volumes:
  kept: {}
  bound: {driver: local, driver_opts: {type: none, o: bind, device: /srv/bound}}
secrets:
  key: {file: ./key}
configs:
  conf: {file: ./conf}
YAML
golden 0 bindright inspect
golden 0 bindright inspect --origins trainer
golden 0 bindright inspect --user web=7:7 web --format json
golden 0 bindright inspect --format json
golden 0 bindright inspect --format json --origins trainer
python3 -m json.tool <"$T/out" >/dev/null || die "no JSON"
golden 2 bindright inspect nobody
golden 2 bindright inspect -f none.yaml
done_golden
