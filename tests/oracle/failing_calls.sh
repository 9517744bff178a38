#!/usr/bin/env bash
# Each system call of making and removing accounts, of listing and dropping runs, of finding sources, mounts and seals fails once and for
# good: nothing is lost, nothing is told as harmless that could not be told, no descriptor and no memory is left behind.
# BR_STEP: each so manieth call of those about accounts (3); of all others it is each one.
# time limit: 7200
set -u

build=${BR_BUILD:?run it with make prove}
# loops PROGRAM STEP TESTS
loops() {
	BR_STEP=$2 BR_TEST=$3 "$build/tests/$1" >out 2>&1 || {
		grep -v '^\[ RUN\|OK \]' out
		exit 1
	}
	grep 'failed calls' out
}
loops test_failing 1 'test_*'
loops test_accounts "${BR_STEP:-3}" 'test_any_call_fails'
BR_JAIL=require loops test_accounts "${BR_STEP:-3}" 'test_any_call_fails'
