#!/usr/bin/env bash
# A missing source: what the engine would do, by how the mount is written.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

compose 'volumes:' '  - ./short:/short' '  - ./conf/app.conf:/etc/app.conf' \
	'  - {type: bind, source: ./never, target: /never, bind: {create_host_path: false}}' \
	'  - {type: bind, source: ./long, target: /long}' '  - ./readonly:/readonly:ro'
golden 1 bindright check --sysroot "$T"
golden 1 bindright check --sysroot "$T" --compose-version 2.26
golden 1 bindright plan --sysroot "$T" -q
done_golden
