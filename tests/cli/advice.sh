#!/usr/bin/env bash
# What could be changed in the compose file instead: each edit that is offered is made, and then everything fits.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p etc data/sub && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/srv/alice:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nalice:x:7001:\ndevs:x:7005:\n' >etc/group
touch data/f data/sub/g && chown -R 7001:7005 data && chmod -R u=rwX,g=rwX,o=rX data
edits() { # NUMBER of edits that must be there, kinds in order
	bindright plan --sysroot . --format json >plan.json || true
	python3 - "$@" <<'END' || die "the edits of $(cat compose.yaml)"
import json, subprocess, sys
with open("plan.json") as f:
    advice = [a for a in json.load(f)["plan"]["advice"] if not a["choice"]]
if [a["kind"] for a in advice] != sys.argv[1:]:
    sys.exit("%s, not %s" % ([a["kind"] for a in advice], sys.argv[1:]))
for a in advice:
    edit = a["edit"]
    with open(edit["file"]) as f:
        lines = f.read().splitlines(keepends=True)
    at = sum(map(len, lines[:edit["line"] - 1])) + edit["column"] - 1
    text = "".join(lines)
    if text[at:at + len(edit["replace"])] != edit["replace"]:
        sys.exit("it is not there: %s" % edit)
    with open("edited.yaml", "w") as f:
        f.write(text[:at] + edit["with"] + text[at + len(edit["replace"]):])
    done = subprocess.run(["/srv/bindright", "check", "-q", "--sysroot", ".", "-f", "edited.yaml"], capture_output=True)
    if done.returncode != 0:
        sys.exit("after %s: %s%s" % (edit, done.stdout, done.stderr))
END
}
compose 'volumes: ["./data:/data"]'
golden 1 bindright plan --sysroot .
edits read-only user group-add
# Every way to write it.
compose 'volumes:' '  - "./data:/data"'
edits read-only user group-add
compose 'volumes:' '  - ./data:/data:z'
edits read-only user group-add
compose 'volumes:' '  - type: bind' '    source: ./data' '    target: /data' 'group_add: ["7077"]'
edits read-only user group-add
compose 'volumes: [{type: bind, source: ./data, target: /data}]' 'group_add:' '  - "7077"' '  - 7078'
edits read-only user group-add
printf 'services: {app: {image: example, user: "1001:1001", volumes: ["./data:/data"]}}\n' >compose.yaml
edits read-only user group-add
# In a run line the same are options: each line as it is edited fits.
line() { # LINE: the run line whose edits are made one by one
	local words
	read -r -a words <<<"$1"
	bindright plan --sysroot . --format json -- "${words[@]}" >plan.json || true
	python3 - "$1" <<'END' || die "the edits of $1"
import json, subprocess, sys
with open("plan.json") as f:
    advice = json.load(f)["plan"]["advice"]
if len(advice) != 3:
    sys.exit("not three: %s" % advice)
line = "bindright plan --sysroot . --format json -- " + sys.argv[1]
for a in advice:
    edit = a["edit"]
    at = edit["column"] - 1
    words = (line[:at] + edit["with"] + line[at + len(edit["replace"]):]).split(" -- ")[1].split()
    done = subprocess.run(["/srv/bindright", "check", "-q", "--sysroot", ".", "--"] + words, capture_output=True)
    if done.returncode != 0:
        sys.exit("after %s: %s%s" % (edit, done.stdout, done.stderr))
END
}
line "docker run -v $PWD/data:/data -u 1001:1001 example"
line "docker run --volume=$PWD/data:/data:z --user=1001:1001 example sleep 1"
line "docker run --mount type=bind,source=$PWD/data,target=/data -u 1001:1001 --group-add 7077 example"
# Nothing is offered that does not serve: a file of somebody else's, one that others may not read, root's group.
compose 'volumes: ["./data:/data"]'
chown 7009 data/sub/g && chmod 600 data/sub/g
edits
chown 7001 data/sub/g
edits user
chmod 664 data/sub/g && chown -R 7001:0 data
edits read-only
chown -R 0:0 data
edits read-only
# Podman without root: the container's user becomes the one who runs it.
chown -R 7001:7001 data && chmod -R u=rwX,go= data
echo 'alice:100000:65536' | tee etc/subuid >etc/subgid
bindright plan --sysroot . --engine podman-rootless --engine-user alice >out || true
grep -q 'add userns_mode: "keep-id:uid=1001,gid=1001"' out || die "$(cat out)"
sed 's/^    user:/    userns_mode: "keep-id:uid=1001,gid=1001"\n    user:/' compose.yaml >edited.yaml
golden 0 bindright check -q --sysroot . --engine podman-rootless --engine-user alice -f edited.yaml
# Choices, where nothing serves exactly.
mount -t ramfs -o mode=755 none data && touch data/f && chown -R 7001:7001 data && chmod 640 data/f
golden 1 bindright plan --sysroot .
umount data
# An image that changes modes at every start is a matter of those who use its data as well: alone it is told nothing.
mkdir pg && chown 7001:7001 pg && chmod 750 pg
printf 'services:\n  db: {image: "postgres:16", volumes: ["./pg:/var/lib/postgresql/data"]}\n' >compose.yaml
bindright plan --sysroot . >"$T/out" || die "$(cat "$T/out")"
grep choice "$T/out" && die "$(cat "$T/out")"
printf '  backup: {image: x, user: "1001:1001", volumes: ["./pg:/pg:ro"]}\n' >>compose.yaml
bindright plan --sysroot . >"$T/out" || grep -q 'choice *let all' "$T/out" || die "$(cat "$T/out")"
done_golden
