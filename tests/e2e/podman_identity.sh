#!/usr/bin/env bash
# Who a Podman container is: user words, image users, groups and account files of every form; what is worked out is what the container sees.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"
box=(podman)
# shellcheck source=tests/e2e/lib/identity.sh
. "$BR_TOP/tests/e2e/lib/identity.sh"

# Groups are compared with the process's own among them, which Podman does not always list.
"${box[@]}" save -q -m -o all.tar "${images[@]}"
expect 0 env DOCKER_HOST="unix://$work/none" CONTAINER_HOST="unix://$work/none" \
	"$BINDRIGHT" check --format json --engine podman --engine-version 4.3 --image-archive all.tar
worked_out "$work/who" "$work/sure" <"$out"
agree "$work/who" "disagreement with Podman's containers"
! grep -vE ' (certain|unknown) ' "$work/sure" >&2 || die "read from an archive, it is certain"

# Numbers that Podman does not take are errors of the input.
for word in -1 2147483648 0:2147483648 4294967296; do
	printf "services:\n  a:\n    image: base\n    user: '%s'\n" "$word" >compose.yaml
	expect 2 env DOCKER_HOST="unix://$work/none" CONTAINER_HOST="unix://$work/none" "$BINDRIGHT" check --engine podman --image-archive all.tar
	[ "$(see base "$word" '' "$work/see")" = refused ] || die "Podman takes $word"
done
echo "agreed: $(wc -l <"$cases") combinations, $(grep -c refused "$work/seen") of them refused"
