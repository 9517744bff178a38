#!/usr/bin/env bash
# A missing source: what the engine would do, by how the mount is written.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes:' '  - ./short:/short' '  - ./conf/app.conf:/etc/app.conf' \
	'  - {type: bind, source: ./never, target: /never, bind: {create_host_path: false}}' \
	'  - {type: bind, source: ./long, target: /long}' '  - ./readonly:/readonly:ro' \
	'  - ./notes.txt:/etc/notes.conf' '  - ./.env:/app/.env'
golden 1 bindright check --sysroot "$T"
golden 1 bindright check --sysroot "$T" --compose-version 2.26
golden 1 bindright plan --sysroot "$T" -q
compose 'volumes: ["./engine.sock:/run/engine.sock"]'
golden 1 bindright check --sysroot "$T"
done_golden
