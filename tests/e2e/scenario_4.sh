#!/usr/bin/env bash
# The example that `make demo` runs, with a real container.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir "$engine/bin"
ln -s "$docker" "$engine/bin/docker"
PATH=$engine/bin:$PATH expect 0 env TMPDIR="$work" "$BR_TOP/examples/scenario-4-save-trained-model/run.sh"
says "docker run --user 1001:1001"
says "saved /app/models/model.pt"
says "Permission denied"

# Without an engine a process takes on the identity.
DOCKER_HOST=unix://$engine/none.sock expect 0 env TMPDIR="$work" "$BR_TOP/examples/scenario-4-save-trained-model/run.sh"
says "by a process with uid 1001"
says "saved models/model.pt"
