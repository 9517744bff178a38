#!/usr/bin/env bash
# Run tests and count them: tests/run.sh TEST...
#
# A test is a cmocka program (each of its tests counts), or a shell script (.sh: 0 passed, 77 skipped, else failed).
# Each runs in a directory of its own, which is also its TMPDIR and HOME, and for a limited time. Only what failed is shown.
# The last line is "N passed, N failed, N skipped". With CI=true a skipped test is a failure.
#
#   TEST_JOBS     how many run at a time (2; scripts below an e2e folder always run alone)
#   TEST_SECONDS  the time limit of each (120; a script may say more: "# time limit: SECONDS" in its first ten lines)
#   TEST_UNDER    a command to run the programs under, as "valgrind -q"
set -u

jobs=${TEST_JOBS:-2}
seconds=${TEST_SECONDS:-120}
read -r -a under <<<"${TEST_UNDER:-}"
work=$(mktemp -d "${TMPDIR:-/tmp}/bindright-tests.XXXXXX") || exit 3
# Tests that become another user must be able to enter.
chmod 755 "$work"
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What the caller's shell has set must not decide about a test.
umask 022
unset "${!COMPOSE_@}" "${!DOCKER_@}" "${!XDG_@}" NO_COLOR SUDO_USER SUDO_UID SUDO_GID
export LC_ALL=C.UTF-8 TERM=dumb CMOCKA_MESSAGE_OUTPUT=STDOUT
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

limit_of() {
	local own=
	case $1 in
	*.sh) own=$(sed -n '1,10s/^# time limit: \([0-9][0-9]*\).*/\1/p' "$1") ;;
	esac
	[ "${own:-0}" -ge "$seconds" ] || own=$seconds
	echo "$own"
}

# run_one NUMBER TEST: leaves out.NUMBER (what it said) and rc.NUMBER (how it ended) behind.
run_one() {
	local number=$1 test=$2 dir=$work/$1 rc=0 limit
	local command=("$test")
	limit=$(limit_of "$test")
	case $test in
	*.sh) command=("${under[@]}" bash "$test") ;;
	*) command=("${under[@]}" "$test") ;;
	esac
	mkdir "$dir" && cd "$dir" || return
	TMPDIR=$dir HOME=$dir timeout -k 10 "$limit" "${command[@]}" </dev/null >"$work/out.$number" 2>&1 || rc=$?
	if [ "$rc" = 124 ] || [ "$rc" = 137 ]; then
		echo "stopped after $limit seconds, or killed" >>"$work/out.$number"
	fi
	echo "$rc" >"$work/rc.$number"
	cd "$work" && rm -rf --one-file-system "$dir"
}

# The sum of the numbers in cmocka's lines of one kind: sum PASSED FILE
sum() {
	awk -v kind="$1" 'index($0, "[  " kind) == 1 && / [0-9]+ test\(s\)/ {
		sub(/^[^]]*\] /, ""); n += $1
	} END { print n + 0 }' "$2"
}

passed=0 failed=0 skipped=0

count_script() {
	case $1 in
	0) passed=$((passed + 1)) ;;
	77)
		skipped=$((skipped + 1))
		echo "skipped: $2: $(tail -n 1 "$3")"
		;;
	*)
		failed=$((failed + 1))
		return 1
		;;
	esac
}

count_program() {
	local rc=$1 name=$2 out=$3 p f s
	p=$(sum PASSED "$out") f=$(sum FAILED "$out") s=$(sum SKIPPED "$out")
	# One that crashed, or ran nothing, counts as a failed test.
	if [ "$f" = 0 ] && { [ "$rc" != 0 ] || [ $((p + s)) = 0 ]; }; then
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$s" != 0 ]; then
		echo "skipped: $name: $s: $(grep -i '^skip' "$out" | sort -u | tr '\n' ' ')"
	fi
	[ "$f" = 0 ]
}

# Add one finished test to the totals and show what it said if it failed.
count() {
	local number=$1 test=$2 rc ok=0 out=$work/out.$1
	rc=$(cat "$work/rc.$number" 2>/dev/null || echo 1)
	case $test in
	*.sh) count_script "$rc" "$test" "$out" || ok=1 ;;
	*) if [ "$rc" = 77 ]; then count_script 77 "$test" "$out"; else count_program "$rc" "$test" "$out" || ok=1; fi ;;
	esac
	if [ $ok != 0 ]; then
		echo "FAILED: $test (exit $rc)"
		# cmocka's lines about what went well say nothing here.
		grep -av '^\[ RUN      \]\|^\[       OK \]' "$out" | tail -n 60 | sed 's/^/    /'
	fi
}

number=0
for test in "$@"; do
	number=$((number + 1))
	case $test in
	/*) path=$test ;;
	*) path=$PWD/$test ;;
	esac
	case $test in
	*/e2e/*)
		wait
		(run_one $number "$path")
		;;
	*)
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
			wait -n
		done
		(run_one $number "$path") &
		;;
	esac
done
wait

number=0
for test in "$@"; do
	number=$((number + 1))
	count $number "$test"
done

if [ "${CI:-}" = true ] && [ "$skipped" != 0 ]; then
	echo "skipped tests are failures here"
	failed=$((failed + skipped)) skipped=0
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
