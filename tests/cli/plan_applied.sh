#!/usr/bin/env bash
# A saved plan that was applied already: whoever applies it again hears by which run, and how that is put back.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

golden_of() { golden "$@" && sed -i -E -e 's/(json:)[0-9]+:/\1LINE:/' -e 's/^(! +)[0-9]+ \|/\1N |/' "$T/golden"; }
again() { golden_of 2 bindright fix --plan saved.json --yes; }
runs() { bindright history --format json | jq -r '.runs | length'; }
compose 'volumes: ["./data:/data"]'
mkdir data && touch data/{a,b,c} && chown -R 7001:7001 data && chmod 640 data/*
bindright plan --sysroot "$T" --format json -o saved.json >/dev/null || [ $? = 1 ]
golden 0 bindright fix --plan saved.json -q --yes
again
golden_of 2 bindright fix --plan saved.json --dry-run
cp -a data kept

# Not all of it is so any more: what differs is told as well.
setfacl -b data/a
again
rm -r data && mv kept data
golden_of 2 bindright fix --plan saved.json --yes
rm -r data && mkdir data && touch data/{a,b,c} && chown -R 7001:7001 data && chmod 640 data/*
golden_of 2 bindright fix --plan saved.json --yes
# Nor is it if nothing were to be done, of an input that is another one.
bindright fix --sysroot "$T" -q --yes
cp compose.yaml compose.old && echo '# a comment' >>compose.yaml
again
mv compose.old compose.yaml

# A run that was cut short: its journal without the record that ends it.
bindright undo -q --yes
[ "$(runs)" = 2 ] || die "$(runs) runs"
id=$(bindright history --format json | jq -r '.runs[1].id')
journal=$T/state/runs/$id/journal
cp "$journal" $T/whole
truncate -s -1 "$journal"
golden 0 bindright history
again
cp $T/whole "$journal"

# Of what was dropped, or taken back, nothing is said.
golden 0 bindright history --prune "$id" --yes
again
done_golden
