#!/usr/bin/env bash
# The example of a model server: before, what bindright says, the fix, after, and back, as its README.md tells it.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir "$engine/bin"
ln -s "$docker" "$engine/bin/docker"
export PATH=$engine/bin:$PATH TMPDIR=$work
scenario=$BR_TOP/examples/scenario-1-serve-model/run.sh
expect 0 "$scenario"
says "docker run --user 1001:1001 -v ./models:/models bindright-demo-server"
says "serving /models/public/model.bin as uid 1001: weights for all"
says "can't open '/models/private/model.bin': Permission denied"
says "BR104  uid 1001 cannot use 1 directory in"
says "BR403"
says_not "BR101"
says "./models:/models:ro"
says "u:1001:r-x"
says_not "u:1001:rwx"
says "serving /models/private/model.bin as uid 1001: weights for some"
says "user:1001:r--"
says "uid 1001 can read the models and write none of them"
# Before and after are the same listing.
[ "$(grep -c 'drwxr-x--- 2 1000 1000' "$out")" = 2 ] || die "undo left something: $(cat "$out")"
[ -z "$(ls -A "$work")" ] || die "it left something in TMPDIR"
[ -z "$("$docker" images -q bindright-demo-server)" ] || die "it left its image"
