#!/usr/bin/env bash
# Root that has lost CAP_DAC_OVERRIDE is judged like anybody else.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir data && chown 7001:7001 data
printf 'services:\n  app:\n    image: example\n    user: "0"\n    cap_drop: [ALL]\n    volumes: ["./data:/data"]\n' >compose.yaml
golden 1 bindright check --sysroot "$T"
printf '    cap_add: [dac_override]\n' >>compose.yaml
golden 0 bindright check --sysroot "$T"
done_golden
