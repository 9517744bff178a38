#!/usr/bin/env bash
# A report that cannot be written fails loudly, in every format and of every command.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data && chown 1001:1001 data
compose 'volumes: ["./data:/data"]' 'x-bindright: {ignore: [{code: BR301, reason: x}]}'
full() { "$BINDRIGHT" "$@" >/dev/full; }
# golden 3 with something said.
fails() {
	golden 3 "$@"
	[ -s "$T/err" ] || die "a failure without a word: $*"
}
for format in text json ndjson sarif; do
	fails full check --format $format -v
	fails bindright check --format $format -v -o /dev/full
done
# Nothing to say is nothing to lose.
golden 0 full check --format github
chmod 700 data && chown 7001 data
fails full check --format github
printf 'services: [\n' >invalid.yaml
fails full check -f invalid.yaml --format github
fails full plan
fails full history
fails full explain data --as 1
fails full explain app:/data --format json
fails full inspect
fails full id 1
fails full codes
fails full codes BR101
fails full help
fails full check --help
fails full --version
fails bindright check -o none/report
fails bindright check -o data
fails bindright check -o ''
done_golden
