#!/usr/bin/env bash
# A saved plan: exactly that is applied, or nothing.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

# Digests hold inode numbers, and where something stands in a report is not what this is about.
golden_of() { golden "$@" && sed -i -E -e 's/[0-9a-f]{64}/DIGEST/' -e 's/(json:)[0-9]+:/\1LINE:/' -e 's/^(! +)[0-9]+ \|/\1N |/' "$T/golden"; }
compose 'volumes: ["./data:/data", "./new:/new"]'
make_tree() {
	rm -rf data new
	mkdir -p data/sub && touch data/a data/sub/b && chown -R 7001:7001 data && chmod 640 data/a
	setfacl -m u:7003:rw data/sub/b
}
state() { find data -printf '%P %U:%G %m %i\n' | sort && getfacl -R -n data; }
save() { bindright plan --sysroot "$T" --format json -o saved.json "$@" || [ $? = 1 ]; }
make_tree
save --need /data=rw
grep -q '"seal"' saved.json || die "no seal"
golden 1 bindright fix --plan saved.json
golden 0 bindright fix --plan saved.json -q --yes
golden 0 getfacl -n data/a data/sub/b
golden_of 2 bindright fix --plan saved.json --yes
golden 0 bindright undo -q --yes

# Every change of what it was made for is a refusal that says what, and changes nothing.
refused() {
	state >before
	golden_of 2 bindright fix --plan saved.json --yes
	state | cmp - before || die "something was changed"
}
save
chmod 600 data/a
refused
chmod 640 data/a
mv data/sub/b data/sub/c
refused
mv data/sub/c data/sub/b
setfacl -m u:7003:r data/sub/b
refused
setfacl -m u:7003:rw data/sub/b
touch data/more && chown 7001:7001 data/more
refused
rm data/more
cp -a data other && mv data gone && mv other data
refused
rm -rf data && mv gone data
mkdir new && chown 7001:7001 new
refused
rmdir new
echo '# a comment' >>compose.yaml
refused
compose 'volumes: ["./data:/data", "./new:/new"]' 'environment: [A=1]'
sed -i 's/1001:1001/1002:1002/' compose.yaml
refused
compose 'volumes: ["./data:/data", "./new:/new"]'
printf 'COMPOSE_FILE=two.yaml\n' >.env && sed 's/app/other/' compose.yaml >two.yaml
refused
rm .env
mkdir dir && golden 2 env -C dir "$BINDRIGHT" fix --plan ../saved.json --yes
# Another one's plan, or one that others could have written.
chown 7001:7001 saved.json
refused
chown 0:0 saved.json && chmod 620 saved.json
refused
chmod 600 saved.json && setfacl -m u:7001:rw saved.json
refused
setfacl -b saved.json && chmod 600 saved.json
golden 0 env SUDO_UID=7001 "$BINDRIGHT" fix --plan saved.json -q --yes
bindright undo --yes >/dev/null

# What is no saved plan, or no longer one.
wrong() { golden_of 2 bindright fix --plan "$@" --yes; }
wrong absent.json
wrong dir
ln -s saved.json link.json && wrong link.json
wrong compose.yaml
: >empty.json && chmod 600 ./*.json && wrong empty.json
head -c 700 saved.json >cut.json && wrong cut.json
sed 's/"changes": [0-9]*/"changes": 1/' saved.json >edited.json && wrong edited.json
sed 's/^  "command": "plan"/  "command": "play"/' saved.json >edited.json && wrong edited.json
sed 's/"seal": ".*"/"seal": "x"/' saved.json >edited.json && wrong edited.json
bindright check --sysroot "$T" --format json >check.json || true
wrong check.json
python3 - <<'END'
import hashlib
import json
def seal(name, change):
    with open("saved.json") as f:
        report = json.load(f)
    del report["seal"]
    change(report["plan"]["saved"])
    text = json.dumps(report, indent=2)[:-2]
    with open(name, "w") as f:
        f.write(text + ',\n  "seal": "' + hashlib.sha256(text.encode()).hexdigest() + '"\n}\n')
def put(key, value):
    return lambda saved: saved.__setitem__(key, value)
seal("same.json", lambda saved: None)
seal("version.json", put("version", 2))
seal("caller.json", put("caller", 7001))
seal("words.json", put("words", ["--strategy", "worst"]))
seal("list.json", put("words", "x"))
seal("item.json", put("words", [["x"]]))
seal("trees.json", put("trees", [1]))
seal("digest.json", lambda saved: saved["trees"][0].__setitem__("sha256", "0"))
seal("number.json", lambda saved: saved["trees"][0].__setitem__("inode", "x"))
seal("missing.json", lambda saved: saved.pop("rest"))
seal("more.json", put("rest", "0" * 64))
END
chmod 600 ./*.json
line=$(awk '/"version": 2/ { print NR }' version.json)
bindright fix --plan version.json 2>&1 | grep -q "^bindright: version.json:$line:18: error: " || die "not the place"
for name in version words list item trees digest number missing; do wrong $name.json; done
golden_of 2 bindright fix --plan caller.json --yes
golden_of 2 bindright fix --plan more.json --yes
golden 2 bindright fix --plan saved.json --strategy acl
golden 2 bindright fix --plan saved.json app
golden 2 bindright fix --plan saved.json --resume
golden 1 bindright fix --plan saved.json --require-jail
golden 0 bindright fix -q --yes --plan=same.json

# A run line is part of the words.
bindright undo --yes >/dev/null
bindright plan --sysroot "$T" --format json -o line.json -- docker run -u 1001:1001 -v "$PWD/data:/data" example >/dev/null || true
golden_of 0 bindright fix -q --yes --plan line.json
done_golden
