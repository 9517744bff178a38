#!/usr/bin/env bash
# Who a container is: user words, image users, groups and account files of every form; what is worked out is what the container sees.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
. "$BR_TOP/tests/e2e/lib.sh"
box=("$docker")
# shellcheck source=tests/e2e/lib/identity.sh
. "$BR_TOP/tests/e2e/lib/identity.sh"

"$docker" save -o all.tar "${images[@]}"
expect 0 "$BINDRIGHT" check --format json --image-archive all.tar
worked_out "$work/who" "$work/sure" <"$out"
agree "$work/who" "disagreement with containers, from the archive"
! grep -vE ' (certain|unknown) ' "$work/sure" >&2 || die "read from an archive, it is certain"

# The engine tells the user but not the accounts: what is said then must hold, too.
mv all.tar ../all.tar
expect 0 "$BINDRIGHT" check --format json
worked_out "$work/who.engine" "$work/sure.engine" <"$out"
awk 'FILENAME == ARGV[1] { seen[$1] = $0; next }
	FILENAME == ARGV[2] { who[$1] = $0; next }
	{
		split(seen[$1], s)
		split(who[$1], w)
		if (s[2] == "refused" || w[2] == "unknown") next
		known++
		if (s[2] != w[2] || ($2 != "assumed" && s[3] != w[3]) || ($3 == "complete" && seen[$1] != who[$1])) {
			print "seen: " seen[$1] ", said: " who[$1] " (" $2 ", groups " $3 ")"
			bad++
		}
	}
	END { exit bad > 0 || known < 60 }' "$work/seen" "$work/who.engine" "$work/sure.engine" >&2 ||
	die "disagreement with containers, from the engine"

# Numbers that no engine takes are errors of the input.
for word in -1 2147483648 0:2147483648 4294967296; do
	printf "services:\n  a:\n    image: base\n    user: '%s'\n" "$word" >compose.yaml
	expect 2 "$BINDRIGHT" check
	[ "$(see base "$word" '' "$work/see")" = refused ] || die "the engine takes $word"
done

# Dockerfiles onto these images, built by the engine.
n=0
# shellcheck disable=SC2016
for line in 'base|USER app' 'base|USER 1001' 'user3|RUN true' 'user3|USER svc' 'links|USER :extra' 'odd|USER weird' \
	'user1|USER 1234' 'base|ARG who=svc\nUSER $who' 'none|USER 7:8'; do
	n=$((n + 1))
	mkdir -p "context$n"
	printf '%b\n' "FROM ${line%%|*}\n${line#*|}" >"context$n/Dockerfile"
	"$docker" build --network none -q -t "built$n" "context$n" >/dev/null || die "docker build: $line"
	printf '%s %s\n' "$n" "$(see "built$n" '' '' "$work/see")"
done | sed 's/ *$//' >"$work/seen.built"
{
	echo services:
	for n in $(seq "$(wc -l <"$work/seen.built")"); do
		printf '  c%s:\n    build: ./context%s\n' "$n" "$n"
	done
} >compose.yaml
expect 0 env DOCKER_HOST="unix://$work/none" "$BINDRIGHT" check --format json --image-archive ../all.tar
worked_out "$work/who.built" "$work/sure.built" <"$out"
diff -u "$work/seen.built" "$work/who.built" >&2 || die "disagreement with what was built"

echo "agreed: $(wc -l <"$cases") combinations, $(grep -c refused "$work/seen") of them refused, and $(wc -l <"$work/seen.built") builds"
