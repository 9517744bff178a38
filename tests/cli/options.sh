#!/usr/bin/env bash
# What options of reading and of reports do.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p project/data project/later project/none elsewhere/data && chown 1001:1001 project/data project/later
cat >project/compose.yaml <<'YAML'
services:
  app:
    image: example
    user: "${WHO:-7:7}"
    x-bindright: {ignore: [{code: BR301, reason: the test is about something else}]}
    volumes: ["./${WHERE:-none}:/data"]
  extra:
    profiles: [more]
    image: example
    user: "0:0"
YAML
echo 'WHO=1001:1001' >project/.env
printf 'WHO=1001:1001\nWHERE=later\n' >other.env
cd project
golden 1 bindright check --sysroot "$T" --file compose.yaml --kind compose --engine docker
golden 0 bindright check --sysroot "$T" --env WHERE=data --verbose --jobs 1
golden 0 bindright check --sysroot "$T" --env-file ../other.env --verbose
golden 0 bindright check --sysroot "$T" --env-file ../other.env --env WHERE=data --quiet
golden 1 bindright check --sysroot "$T" -f compose.yaml --project-directory "$T/work/elsewhere" --env WHERE=data
golden 0 bindright inspect --project-name other --profile more extra
golden 0 bindright check --sysroot "$T" --env WHERE=data --one-file-system --compose-version 2.26 -q
golden 1 bindright check --sysroot "$T" --color always
grep -q "$(printf '\033')" "$T/out" || die "no colour"
golden 1 env NO_COLOR=1 "$BINDRIGHT" check --sysroot "$T" --color auto -q
if grep -q "$(printf '\033')" "$T/out"; then die "colour in a file"; fi
golden 1 bindright check --sysroot "$T" --output report
[ ! -s "$T/out" ] || die "the report is on standard output too"
golden 0 cat report
golden 1 bindright plan --sysroot "$T" --env WHERE=data --env WHO=1002:1002 --future-files
golden 0 bindright fix --sysroot "$T" --env WHERE=data --env WHO=1002:1002 --yes --progress never
golden 0 bindright undo --yes --progress never
done_golden
