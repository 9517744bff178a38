#!/usr/bin/env bash
# The example of a job that writes inside of its container: no mount is to blame, the Dockerfile is.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir "$engine/bin"
ln -s "$docker" "$engine/bin/docker"
export PATH=$engine/bin:$PATH TMPDIR=$work
scenario=$BR_TOP/examples/scenario-2-write-inside/run.sh
expect 0 "$scenario"
says "can't create /app/output/results: Permission denied"
says "BR601  the Dockerfile makes the empty directory '/app/output', and"
says "RUN mkdir /app/output && chown nonroot /app/output"
says "wrote /app/output/results"
[ "$(grep -c 'BR601' "$out")" = 2 ] || die "BR601 is not said twice (check, fix) and then no more"
[ "$("$docker" images -q | wc -l)" = 1 ] || die "it left images"
[ -z "$(ls -A "$work")" ] || die "it left something in TMPDIR"

# Where the engine has the image to start from, that is used; where there is no engine, the rest is shown.
"$docker" tag busybox alpine
expect 0 "$scenario"
says "wrote /app/output/results"
DOCKER_HOST=unix://$engine/none.sock expect 0 "$scenario"
says "(not run: there is no Docker engine here"
says "BR601"
says "Everything fits"
