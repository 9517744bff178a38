#!/usr/bin/env bash
# A million times real processes of everybody try what random plans, applied to random trees, gave and took; then each is undone.
# time limit: 1800
set -u

build=${BR_BUILD:?run it with make prove}
[ "$(id -u)" = 0 ] || { echo "skip: needs root" && exit 77; }
BR_PROBES=${BR_PROBES:-1000000} "$build/tests/test_plan_probes"
