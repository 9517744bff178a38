#!/usr/bin/env bash
# A22: a run that was cut short and whose journal is damaged stands in the way of its own places, until it is given up by name.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f g h
mkdir place other && touch other/f && chown -R 7001:7001 place other
compose 'volumes: ["./data:/data", "./place/new:/new"]'
printf 'services: {app: {image: i, user: "1001:1001", volumes: ["./other:/data"]}}\n' >other.yaml
printf 'services: {app: {image: i, user: "1001:1001", volumes: ["./data:/data"]}}\n' >data.yaml
keep other
meddled fchownat:3+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
id=$(ls $T/state/runs)
cp $T/state/runs/$id/journal whole
# The directory's record is damaged; those behind it say that it once was whole.
python3 - $T/state/runs/$id/journal <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[data.index(b".bindright-") + 12] ^= 1
open(sys.argv[1], "wb").write(data)
END
keep data place
want 3 undo
says 'it is damaged'
for file in compose.yaml data.yaml; do
	want 3 fix -f $file --strategy chown
	says "run $id was cut short, and its journal cannot be used: it is damaged" "bindright history --prune $id"
	kept
done
# Elsewhere there is a word about it.
want 0 fix -f other.yaml --strategy chown
says "the journal of run $id cannot be used: it is damaged"
want 0 undo "$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")"
want 0 "$BINDRIGHT" history
says 'damaged'
# Somebody had a copy of it.
cat whole >$T/state/runs/$id/journal
want 0 undo
belong 7001 data data/f data/g data/h
# Or it is given up.
meddled fchownat:3+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
id=$(basename "$(printf '%s\n' $T/state/runs/* | tail -n 1)")
python3 - $T/state/runs/$id/journal <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[data.index(b".bindright-") + 12] ^= 1
open(sys.argv[1], "wb").write(data)
END
want 3 fix -f data.yaml --strategy chown
want 0 "$BINDRIGHT" history --prune $id --yes
want 0 fix -f data.yaml --strategy chown
