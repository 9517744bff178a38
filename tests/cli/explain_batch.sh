#!/usr/bin/env bash
# Many questions: an answer a line, in order; a bad line is answered and ends nothing; a program can ask and wait.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir a && chown 7001:7001 a && chmod 750 a && touch 'a/n\e"w' && mkdir "$(printf 'b\xff\xc3\xa4')" && ln -s a link
mkdir acl && chmod 700 acl && setfacl -m u:1001:r-x acl
cat >queries <<EOF2
{"path": "$PWD/a", "uid": 7001, "gid": 7001, "groups": [], "capabilities": [], "need": "rwx", "read_only": false}
{"path":"$PWD/a","uid":1,"gid":1,"groups":[9,7001,8],"need":"rx"}
{"path":"$PWD/a","uid":1,"groups":[7001],"need":"w"}
{"path":"$PWD/a","uid":1}
{"path":"$PWD/link","uid":1,"capabilities":["CAP_DAC_OVERRIDE"]}
{"path":"$PWD/a","uid":1,"uid_map":[[0,7000,10]],"need":"rw"}
{"path":"$PWD/a","uid":11,"uid_map":[[0,7000,10]],"need":"rw"}
{"path":"$PWD/a","uid":1,"uid_map":[[0,7000,10]],"gid":1,"gid_map":[[1,2,1]],"groups":[2]}
{"path":"$PWD/a","uid":1,"uid_map":[[0,7000,10]],"gid":0,"gid_map":[[1,2,1]]}
{"path":"$PWD/a","uid":7001,"need":"w","read_only":true}
{"path":"$PWD/a","uid":7001,"need":"r","read_only":true}
{"path":"$PWD/acl","uid":1001,"need":"r"}
{"path":"$PWD/acl","uid":1001,"need":"w"}
{"path":"$PWD/a/n\\\\e\\"\\u0077","uid":0,"need":"r"}
$(printf '{"path":"%s/b\xff\\u00e4","uid":0,"need":"r"}' "$PWD")
{"path":"$PWD/nothing","uid":0}
{"path":"$PWD/a/n/x","uid":0}

not json
{}
{"path":"$PWD/a"}
{"uid":1}
{"path":"relative","uid":1}
{"path":"$PWD/a","uid":-1}
{"path":"$PWD/a","uid":1.5}
{"path":"$PWD/a","uid":01}
{"path":"$PWD/a","uid":4294967295}
{"path":"$PWD/a","uid":99999999999}
{"path":"$PWD/a","uid":"1"}
{"path":"$PWD/a","uid":1,"uid":2}
{"path":"$PWD/a","uid":1,"gids":[1]}
{"path":"$PWD/a","uid":1,"groups":1}
{"path":"$PWD/a","uid":1,"groups":[1,]}
{"path":"$PWD/a","uid":1,"need":"z"}
{"path":"$PWD/a","uid":1,"need":"rr"}
{"path":"$PWD/a","uid":1,"need":"rwxrwxrwx"}
{"path":"$PWD/a","uid":1,"read_only":1}
{"path":"$PWD/a","uid":1,"capabilities":["CAP_NOTHING"]}
{"path":"$PWD/a","uid":1,"uid_map":[[0,1,0]]}
{"path":"$PWD/a","uid":1,"uid_map":[[0,1]]}
{"path":"$PWD/a","uid":1,"uid_map":[[0,1,5],[3,9,5]]}
{"path":"$PWD/a\\u0000b","uid":1}
{"path":"$PWD/a\\ud800","uid":1}
{"path":"$PWD/a\\x","uid":1}
{"path":"$PWD/a","uid":1} {}
{"path":"$PWD/a","uid":1
{"path":"$PWD/a
$(printf '{"path":"/%05000d","uid":1}' 0)
{"path":"$PWD/a","uid":7001,"need":"r"}
EOF2
printf '{"path":"%s/a","uid":7001,"need":"w"}' "$PWD" >>queries # the last line may lack its newline
batch() { "$BINDRIGHT" explain --batch <queries; }
golden 0 batch
[ "$(wc -l <"$T/out")" = $(($(wc -l <queries) + 1)) ] || die "not an answer a line"
while read -r line; do python3 -c 'import json, sys; json.loads(sys.argv[1])' "$line" || die "no JSON: $line"; done <"$T/out"

# The same answers as one by one, and as the kernel's.
python3 - "$PWD" <<'PYTHON' >many
import json, os, random, sys
random.seed(7)
top = sys.argv[1] + "/r"
os.mkdir(top)
os.chmod(top, 0o755)
for i in range(60):
    path = f"{top}/{i}"
    (os.mkdir if i % 2 else lambda p: open(p, "w").close())(path)
    os.chown(path, random.randrange(3) + 5000, random.randrange(3) + 6000)
    os.chmod(path, random.randrange(0o1000))
    for need in "r", "w", "x":
        print(json.dumps({"path": path, "uid": 5000, "gid": 6000, "groups": [6001], "need": need}))
PYTHON
"$BINDRIGHT" explain --batch <many >answers
python3 - many answers <<'PYTHON' || die "not as the kernel says"
import json, os, sys
os.setgroups([6001]); os.setgid(6000); os.setuid(5000)
bits = {"r": os.R_OK, "w": os.W_OK, "x": os.X_OK}
for q, a in zip(open(sys.argv[1]), open(sys.argv[2])):
    q, a = json.loads(q), json.loads(a)
    real = os.access(q["path"], bits[q["need"]])
    assert real == a["granted"], (q, a)
PYTHON

# A line of more than a megabyte is passed over, the next one is answered.
{
	head -c 3000000 /dev/zero | tr '\0' ' '
	printf '\n{"path": "/", "uid": 0, "need": "r"}\n'
} | "$BINDRIGHT" explain --batch >long
[ "$(sed -n 1p long)" = '{"error": "the line is too long"}' ] || die "a long line: $(head -c 200 long)"
[ "$(sed -n 2p long | cut -c1-16) $(wc -l <long)" = '{"granted": true 2' ] || die "behind a long line: $(head -c 300 long)"

coproc "$BINDRIGHT" explain --batch
for _ in 1 2 3; do
	echo '{"path": "/", "uid": 0, "need": "r"}' >&"${COPROC[1]}"
	read -r -t 60 answer <&"${COPROC[0]}" || die "it keeps its answers back"
	[[ $answer == '{"granted": true'* ]] || die "$answer"
done
golden 2 bindright explain --batch x
golden 2 bindright explain --batch --as 1
golden 2 bindright explain --batch --need r
golden 2 bindright explain --batch -o x
golden 2 bindright explain --batch --walk
full() { "$BINDRIGHT" explain --batch <queries >/dev/full; }
golden 3 full
done_golden
