#!/usr/bin/env bash
# Reports for other programs: an object a line, SARIF 2.1.0, annotations.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p "$(printf 'da,t:a%%\n')" open && chmod 777 open && chown 7001:7001 da*
mkdir -p 'sub dir' && cat >'sub dir/c#1,x.yaml' <<'YAML'
services:
  app:
    image: example
    user: "1001:1001"
    colour: red
    x-bindright: {ignore: [{code: BR301, reason: "known, and meant"}]}
    volumes: ["../da,t:a%\n:/data", "../open:/open"]
YAML
sed -i 's|"../da,t:a%\\n:/data"|{type: bind, source: "../da,t:a%\\n", target: /data}|' 'sub dir/c#1,x.yaml'
for format in ndjson github sarif; do
	golden 1 bindright check --sysroot "$T" -f 'sub dir/c#1,x.yaml' --format $format
	cp "$T/out" report.$format
done
golden 1 bindright plan --sysroot "$T" -f 'sub dir/c#1,x.yaml' --format ndjson -q
stdin() { "$BINDRIGHT" check --sysroot "$T" -f - --format "$1" <'sub dir/c#1,x.yaml'; }
golden 1 stdin github
cp -r open fits && chown 1001:1001 fits && chmod 755 fits
printf 'services:\n  app:\n    image: example\n    user: "0:0"\n    x-bindright: {ignore: [{code: BR305, reason: x}]}\n    volumes: ["./fits:/fits"]\n' >fits.yaml
golden 0 bindright check -f fits.yaml --format github
# An input that is not valid: there is no report, but each error that stands in a file has its annotation.
wrong() { golden 2 bindright check -f 'sub dir/e,r.yaml' --format "$@"; }
printf 'services:\n  app:\n    image: x\n    colour: 3\n    volumes: [{type: bind, sorce: ./a%%0A, target: /x}]\n' >'sub dir/e,r.yaml'
wrong github
wrong json
wrong github -o errors.github
cmp errors.github <("$BINDRIGHT" check -f 'sub dir/e,r.yaml' --format github 2>/dev/null) || die "not the same in a file"
printf 'services:\n  app: [\n' >'sub dir/e,r.yaml' && wrong github
printf 'services:\n  app:\n    image: x\n    "a%%0A: b": 1\n    "a%%0A: b": 2\n' >'sub dir/e,r.yaml' && wrong github
# Nothing that a change would show: no annotation, and no file that says there were none.
invalid() { "$BINDRIGHT" check -f - --format github -o none.github <'sub dir/e,r.yaml'; }
golden 2 invalid
golden 2 bindright check -f gone.yaml --format github -o none.github
golden 2 bindright check --format github --fail-on never
[ ! -e none.github ] || die "an empty report"
golden 0 bindright check -f fits.yaml --format sarif -o fits.sarif
golden 0 bindright fix -f fits.yaml --yes --format ndjson

while read -r line; do python3 -c 'import json, sys; json.loads(sys.argv[1])["type"]' "$line" || die "no JSON: $line"; done <report.ndjson

# What the schema of SARIF 2.1.0 demands of the parts that are used here (sections 3.13 to 3.35 of the standard).
python3 - report.sarif fits.sarif <<'PYTHON' || die "no SARIF"
import json, re, sys
URI = re.compile(r"^[A-Za-z0-9._~%/:-]*$")
def keys(o, need, may):
    assert isinstance(o, dict), o
    assert set(need) <= set(o), (need, o)
    assert set(o) <= set(need) | set(may), (set(o) - set(need) - set(may))
def message(o):
    keys(o, ["text"], ["markdown", "id", "arguments"])
    assert isinstance(o["text"], str) and o["text"]
for name in sys.argv[1:]:
    log = json.load(open(name))
    keys(log, ["version", "runs"], ["$schema"])
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    for run in log["runs"]:
        keys(run, ["tool"], ["results", "columnKind", "invocations"])
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        driver = run["tool"]["driver"]
        keys(run["tool"], ["driver"], ["extensions"])
        keys(driver, ["name"], ["version", "semanticVersion", "rules", "informationUri"])
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for rule in driver["rules"]:
            keys(rule, ["id"], ["shortDescription", "fullDescription", "help", "defaultConfiguration"])
            message(rule["shortDescription"]); message(rule["fullDescription"]); message(rule["help"])
            assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        for result in run["results"]:
            keys(result, ["message"], ["ruleId", "ruleIndex", "level", "locations", "partialFingerprints", "suppressions"])
            message(result["message"])
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in ("none", "note", "warning", "error")
            for location in result["locations"]:
                keys(location, [], ["physicalLocation"])
                place = location["physicalLocation"]
                keys(place, ["artifactLocation"], ["region"])
                keys(place["artifactLocation"], ["uri"], [])
                assert URI.match(place["artifactLocation"]["uri"]), place
                keys(place["region"], ["startLine"], ["startColumn"])
                assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
            assert all(isinstance(v, str) for v in result.get("partialFingerprints", {}).values())
            for suppression in result.get("suppressions", []):
                keys(suppression, ["kind"], ["justification", "status"])
                assert suppression["kind"] in ("inSource", "external")
first = json.load(open(sys.argv[1]))["runs"][0]["results"]
assert any(r.get("suppressions") for r in first) and any(not r.get("suppressions") for r in first)
assert any(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "sub%20dir/c%231%2Cx.yaml" for r in first)
PYTHON
done_golden
