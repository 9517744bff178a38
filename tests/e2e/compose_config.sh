#!/usr/bin/env bash
# bindright inspect against the real docker compose config, of two versions: every compose file of the repository, every case of tests/spec, and generated
# projects (BR_COMPOSE_GENERATED, 150, from BR_SEED, always the same without it). `make deps-ci` brings the two programs.
# time limit: 600
set -eu

found=0 failed=0
for program in "$BR_TOP"/.build/compose/*/docker-compose; do
	[ -x "$program" ] || continue
	found=$((found + 1))
	version=$(basename "$(dirname "$program")")
	python3 "$BR_TOP/tests/compose/differential.py" "$BINDRIGHT" "$program" "$version" --generate "${BR_COMPOSE_GENERATED:-150}" \
		--seed "$((${BR_SEED:-1}))" || failed=1
done
[ "$found" -gt 0 ] || {
	echo "skip: needs tests/compose/fetch.sh .build/compose (make deps-ci)"
	exit 77
}
exit "$failed"
