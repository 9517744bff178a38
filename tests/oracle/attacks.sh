#!/usr/bin/env bash
# Four attackers, ten minutes in all (BR_ATTACK_SECONDS each), and the control that other tools are led astray by them.
# time limit: 1800
set -u

build=${BR_BUILD:?run it with make prove}
export BR_ATTACK_SECONDS=${BR_ATTACK_SECONDS:-150}
exec "$build/tests/test_attack"
