#!/usr/bin/env bash
# A saved plan that is damaged, or whose host has changed in whatever way counts: exit status 2, a reason, and nothing is changed. What does not count does not matter.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/sub && touch data/a data/b data/sub/c && chown -R 7001:7001 data && chmod -R u=rwX,g=rX,o= data
state() { find data -printf '%P %U:%G %m %i %n\n' | sort && getfacl -R -n -p data && lsattr -dR data 2>/dev/null; }
n=0
# refused FILE: it is, and says why.
refused() {
	local got=0
	state >before
	bindright fix --plan "$1" --yes >out 2>err </dev/null || got=$?
	n=$((n + 1))
	[ "$got" = 2 ] || die "exit status $got of $n ($1): $(cat out err)"
	grep -q ': error: ' err || die "no reason for $n ($1): $(cat err)"
	[ ! -s out ] || die "a report of $n ($1): $(cat out)"
	state | cmp - before || die "something was changed by $n ($1)"
	find "$T/state" -name journal | grep -q . && die "a journal of $n ($1)"
	true
}
says() { grep -qF -- "$1" err || die "it does not say '$1': $(cat err)"; }
bindright plan --sysroot "$T" --format json -o plan.json || [ $? = 1 ]
size=$(stat -c %s plan.json)

# Cut short anywhere, or a byte changed anywhere.
for ((i = 0; i < size; i += 211)); do
	head -c "$i" plan.json >broken.json && chmod 600 broken.json && refused broken.json
done
for ((i = 3; i < size; i += 211)); do
	python3 - "$i" <<'END' && refused broken.json
import sys
with open("plan.json", "rb") as f:
    b = bytearray(f.read())
b[int(sys.argv[1])] ^= 1
with open("broken.json", "wb") as f:
    f.write(b)
END
done
for ((i = 0; i < 3; i++)); do
	python3 -c 'import sys; sys.stdout.buffer.write(open("plan.json","rb").read() + [b" ", b"{}", b"\0"][int(sys.argv[1])])' "$i" >broken.json
	refused broken.json
done
# Twice the same key, the second with the seal of the whole.
python3 - <<'END'
import hashlib
with open("plan.json") as f:
    body = f.read().split(',\n  "seal"')[0]
def seal(text, name):
    with open(name, "w") as f:
        f.write(text + ',\n  "seal": "' + hashlib.sha256(text.encode()).hexdigest() + '"\n}\n')
seal(body.replace('"caller": 0', '"caller": 0,\n "caller": 0'), "twice.json")
seal(body + ',\n  "plan": {}', "twice_plan.json")
seal(body.replace('"version": "0', '"version": "9.0'), "tool.json")
seal(body.replace('"words": [', '"words": [\n"--nonsense",') if '"words": [\n' in body else body.replace('"words": []', '"words": ["--nonsense"]'), "words.json")
seal(body.replace('"inode": ', '"inode": 9'), "inode.json")
seal(body.replace('"changes": ', '"changes": 9'), "changes.json")
seal("[" * 5000, "deep.json")
seal(" " * 1048576 + body, "large.json")
END
for name in twice twice_plan words inode changes deep large; do
	chmod 600 $name.json && refused $name.json
done
says 'cannot read'
chmod 600 tool.json
# A link, also in the middle, a pipe, a directory, a device.
ln -s plan.json link.json && refused link.json
mkfifo pipe && refused pipe
refused /dev/null
refused data
refused -
mkdir -m 777 shared && mkdir shared/his && chown -R 7001:7001 shared/his && cp plan.json shared/his && ln -s his shared/link
refused shared/link/none.json
chown -h 7001:7001 shared/link && refused shared/link/plan.json
# Somebody else's, or one that others can write.
cp plan.json his.json && chown 7001 his.json && refused his.json && says 'belongs to uid 7001'
cp plan.json ours.json && chmod 602 ours.json && refused ours.json && says 'others than its owner'
# Another directory by another name, another user.
mkdir there && cp compose.yaml there
(
	cd there || exit 1
	env "$BINDRIGHT" fix --plan ../plan.json --yes >out 2>err
	[ $? = 2 ] && grep -q 'was made in' err
) || die "another directory"
refused <(cat plan.json)

# What counts: each is done, refused and undone.
counts() { # DO UNDO WHAT IT SAYS
	eval "$1"
	refused plan.json
	says "$3"
	eval "$2"
}
counts 'chmod u+s data/a' 'chmod u-s data/a' data
counts 'setfacl -d -m u:7002:r data/sub' 'setfacl -b data/sub' data
counts 'ln data/a more' 'rm more' data
counts 'ln data/a data/sub/more' 'rm data/sub/more' data
counts 'chown 7002 data/b' 'chown 7001 data/b' data
counts 'chgrp 7002 data/sub' 'chgrp 7001 data/sub' data
counts 'setcap cap_net_raw+ep data/b' 'setcap -r data/b' data
counts 'mv data/a data/sub/a' 'mv data/sub/a data/a' data
counts 'mv data/a data/t && mv data/b data/a && mv data/t data/b && chmod 600 data/a' 'chmod 640 data/a' data
counts 'mkdir data/new && chown 7001:7001 data/new && chmod 750 data/new' 'rmdir data/new' 'below'
counts 'ln -sfn data link && sed -i s:./data:./link: compose.yaml' 'sed -i s:./link:./data: compose.yaml' 'compose.yaml'
counts 'mkdir ../etc && echo "alice:x:7001:7001::/:/bin/sh" >../etc/passwd && chown 7001 .' 'rm -r ../etc && chown 0 .' 'users are kept'
counts 'mv data old && cp -a old data' 'rm -r data && mv old data' 'is not the one'
# shellcheck disable=SC2016
counts 'export COMPOSE_FILE=none.yaml' 'unset COMPOSE_FILE' none
# Made by another version: the same plan is the same; where it differs that is said.
chmod 600 data/a && refused tool.json && says 'made by bindright 9.0' && chmod 640 data/a
# What does not count: contents and times.
echo more >>data/a && touch -d yesterday data/b data && cp -p plan.json copy.json
got=0
bindright fix --plan tool.json -q --yes >out 2>err || got=$?
[ "$got" = 0 ] || die "not applied: $(cat out err)"
getfacl -n data/a | grep -q user:1001:rw- || die "nothing was changed"
echo "$n refused"
