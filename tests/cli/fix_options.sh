#!/usr/bin/env bash
# Wrong combinations are refused before anything is read.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

golden 2 bindright check --strategy acl
golden 2 bindright fix --strategy acls
golden 2 bindright fix --from nobody-of-that-name
golden 2 bindright undo --file x
golden 2 bindright history --prune yesterday
golden 2 bindright check --depth many
golden 2 bindright fix --no-yes
golden 2 bindright check -f
done_golden
