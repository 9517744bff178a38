#!/usr/bin/env bash
# Killed at every system call of a fix of fifty files and of its undo, and at random ones of larger trees; every call that changes
# something fails once and for good: undo puts back everything. BR_KILLS and BR_SEED choose others.
# time limit: 3600
set -u

build=${BR_BUILD:?run it with make prove}
kills=${BR_KILLS:-10000}
export BR_KILLS=$kills BR_SEED=${BR_SEED:-$(date +%s)}
"$build/tests/test_crash" >out 2>&1 || { grep -v '^\[ RUN\|OK \]' out; exit 1; }
done=$(sed -n 's/^\([0-9]*\) kills in all$/\1/p' out)
echo "seed $BR_SEED: $done kills"
[ "${done:-0}" -ge "$kills" ]
