#!/usr/bin/env bash
# Dangerous sources are refused as a whole, and nothing is changed.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

printf 'services:\n  app:\n    image: x\n    user: "1001:1001"\n    volumes: ["/boot:/host", "./data:/data"]\n' >compose.yaml
mkdir data
mount -t tmpfs none /boot
touch /boot/kernel
golden 3 bindright fix --yes -q
stat -c %U data | grep -qx root || die "the other mount was changed"
printf 'services:\n  app:\n    image: x\n    user: "1001:1001"\n    volumes: ["/:/host"]\n' >compose.yaml
golden 3 bindright fix --yes --allow-dangerous / -q --depth 0
# shellcheck disable=SC2016
printf 'services:\n  app:\n    image: x\n    user: "1001:1001"\n    volumes: ["./${NAME}data:/data"]\n' >compose.yaml
golden 3 bindright fix --yes -q
mkdir other && chmod 777 other && mkdir other/data && chown 7001 other
printf 'services:\n  app:\n    image: x\n    user: "1001:1001"\n    volumes: ["./other/data:/data"]\n' >compose.yaml
golden 3 bindright fix --yes -q
done_golden
