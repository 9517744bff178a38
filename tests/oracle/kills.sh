#!/usr/bin/env bash
# Killed at every system call of a fix of fifty files and of its undo, and at random ones of larger trees: the one that works in the
# jail, the one that watches it, and both; every call, and every allocation, of either fails once and for good: undo puts back everything.
# The same where another fix goes on from there instead.
# BR_KILLS and BR_SEED choose others; BR_JAIL=none: without the jail; BR_JAIL=try: who fails to make a jail goes on without.
# time limit: 7200
set -u

build=${BR_BUILD:?run it with make prove}
kills=${BR_KILLS:-10000}
export BR_KILLS=$kills BR_SEED=${BR_SEED:-$(date +%s)} BR_JAIL=${BR_JAIL:-require}
for test in test_crash test_resumed; do
	"$build/tests/$test" >out 2>&1 || { grep -v '^\[ RUN\|OK \]' out; exit 1; }
	grep -v '^\[' out
	n=$(sed -n 's/^\([0-9]*\) kills in all$/\1/p' out)
	all=$((${all:-0} + ${n:-0}))
done
echo "seed $BR_SEED, jail $BR_JAIL: $all kills"
[ "${all:-0}" -ge "$kills" ]
