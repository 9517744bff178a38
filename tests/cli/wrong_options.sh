#!/usr/bin/env bash
# Wrong words on the command line: what is wrong, where, and what would be right. Nothing is read, nothing on standard output.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

wrong() {
	golden 2 bindright "$@"
	[ ! -s "$T/out" ] || die "something on standard output: $*"
}
wrong chek
wrong check2
wrong compose.yaml
wrong ./compose.yaml
wrong up
wrong ''
wrong reclaim
wrong help chek
wrong --fil x
wrong --flie=x
wrong check --no-such-option
wrong check --Format json
wrong check -z
wrong check -qz
wrong check -
wrong check -f
wrong check --file
wrong check --format
wrong check --format=
wrong check --format=xml
wrong check --format JSON
wrong check --format html
wrong check --kind kube
wrong check --engine kube
wrong check --engine rootless
wrong check --color=yes
wrong check --progress sometimes
wrong check --fail-on errors
wrong check --fail-on=
wrong check --quiet=1
wrong check --fail-fast=no
wrong check --no-fail-fast
wrong check --no-one-file-system
wrong check --yes
wrong check --dry-run
wrong check --create-users
wrong check --no-create-missing
wrong check --walk
wrong check --as 1
wrong check --batch
wrong check --origins
wrong check --prune 1d
wrong fix --fail-on warning
wrong fix --strategy
wrong fix --strategy=chmod
wrong plan --yes
wrong plan --strategy owner
wrong undo --strategy acl
wrong undo --format sarif
wrong undo a b
wrong undo --user app=1
wrong history x
wrong history --format ndjson
wrong history --prune
wrong history --prune 3
wrong history --prune d
wrong history --prune -3d
wrong history --prune 3y
wrong history --prune 20261122T004200Z-0123456
wrong history --dry-run
wrong explain --format github
wrong explain --files-from x
wrong inspect --need /x=r
wrong inspect --format sarif
wrong id --format text
wrong codes --need r
wrong check --container db
wrong check --image-archive x.tar
wrong fix --plan x.json
wrong check --require-jail
wrong check -- docker run -v x:/x y
wrong --version=1
wrong check --compose-version 2
wrong check --compose-version two.one
wrong check --compose-version 2.100
wrong check --env NOVALUE
wrong check --env =x
done_golden
