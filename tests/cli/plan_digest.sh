#!/usr/bin/env bash
# A plan has a digest: of what it does, whoever works it out and whenever, and the journal of the run that applied it names it.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

digest() { "$BINDRIGHT" "$@" --format json | jq -r '.plan.sha256'; }

compose 'volumes: ["./data:/data", "./gone:/gone"]'
mkdir data
touch data/{a,b,c}
chown -R 5000:5000 data
chmod -R go= data

planned=$(digest plan)
[[ $planned =~ ^[0-9a-f]{64}$ ]] || die "no digest: $planned"
[ "$(digest plan)" = "$planned" ] || die "the same plan has another digest"
[ "$(digest plan --jobs 1 --progress never)" = "$planned" ] || die "how it is worked out shows in its digest"
golden 1 bindright plan --output saved.json --format json
[ "$(jq -r .plan.sha256 saved.json)" = "$planned" ] || die "that it is saved shows in its digest"

others=$(
	digest plan --strategy group
	digest plan --exclude a
	chmod 640 data/b
	digest plan
	chmod 600 data/b
	touch data/d
	chown 5000:5000 data/d
	chmod 600 data/d
	digest plan
	rm data/d
	mkdir gone
	digest plan
	rmdir gone
)
[ "$(printf '%s\n' "$planned" "$others" | sort | uniq -d)" = "" ] || die "two plans, one digest: $others"
[ "$(wc -l <<<"$others")" = 5 ] || die "a plan without digest: $others"

golden 0 bindright fix --yes -q
run=$("$BINDRIGHT" history --format json | jq -c '.runs[0] | [.plan, .version]')
[ "$run" = "[\"$planned\",\"$("$BINDRIGHT" --version | cut -d' ' -f2)\"]" ] || die "applied: $run, planned: $planned"
golden 0 bindright history --format json
golden 0 bindright undo --yes --format json
# What was put back gives the same plan.
[ "$(digest plan)" = "$planned" ] || die "after undo it is another plan"
golden 0 bindright fix --plan saved.json --yes -q
[ "$("$BINDRIGHT" history --format json | jq -r '.runs[0].plan')" = "$planned" ] || die "applied from a file: another one"

done_golden
