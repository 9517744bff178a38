#!/usr/bin/env bash
# Every edit that is advised is made in a copy of the project, and then everything fits; where none would do just what is meant, none is offered.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/srv/alice:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nalice:x:7001:\ndevs:x:7005:\n' >etc/group
echo 'alice:100000:65536' | tee etc/subuid >etc/subgid
mkdir -p data/sub && touch data/f data/sub/g && chown -R 7001:7005 data && chmod -R u=rwX,g=rwX,o=rX data
cat >edits.py <<'END'
import json, os, shlex, shutil, subprocess, sys
words = sys.argv[2:]
at = words.index("--") if "--" in words else len(words)
options, line = words[:at], words[at + 1:]
def run(command, line, where=".", service=None):
    argv = ["/srv/bindright", command, "--sysroot", "/srv/work"] + options
    argv += [service] if service and not line and "-f" not in options else []
    if command == "check":
        argv.append("-q")
    else:
        argv += ["--format", "json"]
    return subprocess.run(argv + (["--"] + line if line else []), cwd=where, capture_output=True, text=True)
done = run("plan", line)
advice = [a for a in json.loads(done.stdout)["plan"]["advice"] if not a["choice"]]
told = []
for a in advice:
    edit = a["edit"]
    if edit is None:
        told.append("%s" % a["kind"])
        continue
    told.append("%s=%s:%d" % (a["kind"], os.path.relpath(edit["file"], "."), edit["line"]))
    lines = None
    if edit["file"] == "<command line>":
        text = " ".join(["bindright", "plan", "--sysroot", "/srv/work"] + options + ["--format", "json", "--"] + line)
    else:
        with open(edit["file"], newline="") as f:
            text = f.read()
    lines = text.splitlines(keepends=True)
    off = sum(map(len, lines[:edit["line"] - 1])) + edit["column"] - 1
    if text[off:off + len(edit["replace"])] != edit["replace"]:
        sys.exit("it does not stand there: %s" % edit)
    text = text[:off] + edit["with"] + text[off + len(edit["replace"]):]
    shutil.rmtree("/srv/copy", ignore_errors=True)
    shutil.copytree(".", "/srv/copy", ignore=shutil.ignore_patterns("data"))
    # Sources stay the same ones.
    os.mkdir("/srv/copy/data")
    subprocess.run(["mount", "--bind", "data", "/srv/copy/data"], check=True)
    if edit["file"] == "<command line>":
        done = run("check", text.split(" -- ", 1)[1].split(" "), "/srv/copy")
    else:
        with open(os.path.join("/srv/copy", os.path.relpath(edit["file"], ".")), "w", newline="") as f:
            f.write(text)
        done = run("check", line, "/srv/copy", a["container"])
    subprocess.run(["umount", "/srv/copy/data"], check=True)
    # What is missing beside it is no matter of this edit.
    if done.returncode != 0 and "BR201" not in done.stdout:
        sys.exit("after %s:\n%s%s\n%s" % (edit, done.stdout, done.stderr, text))
if " ".join(told) != sys.argv[1]:
    sys.exit("advised is '%s', not '%s'" % (" ".join(told), sys.argv[1]))
END
n=0
# edits EXPECTED OPTIONS...: the kinds, and file and line of each edit.
edits() {
	n=$((n + 1))
	python3 edits.py "$@" || die "the edits of $n: $*: $(cat compose.yaml)"
}
only() { rm -f ./*.yaml ./*.json ./*.sh ./*.md .env; }

# How a service can be written.
compose 'volumes: ["./data:/data"]'
edits 'read-only=compose.yaml:5 user=compose.yaml:4 group-add=compose.yaml:3'
compose "volumes: ['./data:/data:rw']"
edits 'read-only=compose.yaml:5 user=compose.yaml:4 group-add=compose.yaml:3'
compose 'volumes: [./data:/data:rw,z]'
edits 'read-only=compose.yaml:5 user=compose.yaml:4 group-add=compose.yaml:3'
# shellcheck disable=SC2016
compose 'volumes: ["${DIR:-./data}:/data"]'
edits 'read-only=compose.yaml:5 user=compose.yaml:4 group-add=compose.yaml:3'
# shellcheck disable=SC1003
compose 'volumes:' '- "./data:\' '  /data"'
edits 'read-only=compose.yaml:7 user=compose.yaml:4 group-add=compose.yaml:3'
compose 'volumes:' '- >-' '  ./data:/data'
edits 'read-only=compose.yaml:7 user=compose.yaml:4 group-add=compose.yaml:3'
compose 'volumes: # the data' '- target: /data' '  source: ./data # here' '  type: bind' 'group_add: # more' '- "7077" # one'
edits 'read-only=compose.yaml:6 user=compose.yaml:4 group-add=compose.yaml:10'
compose 'volumes:' '- {target: /data, read_only: false, source: ./data, type: bind}' 'group_add: [ 7077 ]'
edits 'read-only user=compose.yaml:4 group-add=compose.yaml:7'
sed -i 's/$/\r/' compose.yaml
edits 'read-only user=compose.yaml:4 group-add=compose.yaml:7'
only
printf '{"services": {"app": {"image": "example", "user": "1001:1001",\n"volumes": ["./data:/data"]}}}\n' >compose.yaml
edits 'read-only=compose.yaml:2 user=compose.yaml:1 group-add=compose.yaml:1'
printf 'services: {app: { image: example, user: 1001:1001, volumes: [{type: bind, source: ./data, target: /data}] } }\n' >compose.yaml
edits 'read-only=compose.yaml:1 user=compose.yaml:1 group-add=compose.yaml:1'
# A variable that only this service has.
# shellcheck disable=SC2016
printf 'services:\n  app:\n    image: example\n    user: "${APP_UID}:${APP_GID}"\n    volumes:\n      - ./data:/data\n' >compose.yaml
printf 'APP_UID=1001\nAPP_GID=1001\n' >.env
edits 'read-only=compose.yaml:6 user=compose.yaml:4 group-add=compose.yaml:3'
only
# What several services share is left to them: the service gets a key of its own, or nothing.
cat >compose.yaml <<'END'
x-app: &app
  image: example
  user: "1001:1001"
  volumes: &volumes
    - ./data:/data
services:
  app:
    <<: *app
    environment: [A=1]
  other:
    <<: *app
    volumes: ["./etc:/etc/other:ro"]
END
edits 'read-only=compose.yaml:5 user=compose.yaml:8 group-add=compose.yaml:8'
sed -i 's/^    volumes: .*/    environment: [B=1]/' compose.yaml
edits 'read-only user=compose.yaml:8 group-add=compose.yaml:8 read-only user=compose.yaml:11 group-add=compose.yaml:11'
cat >compose.yaml <<'END'
services:
  app: &app
    image: example
    user: &user 1001:1001
    group_add: &groups ["7077"]
    volumes: ["./data:/data"]
  other:
    image: example
    user: *user
    group_add: *groups
    volumes: ["./etc:/etc/other:ro"]
END
edits 'read-only=compose.yaml:6 user group-add'
only
# Several files: the one that has the last word.
compose 'volumes: ["./data:/data"]'
printf 'services:\n  app:\n    user: 1002:1002\n    volumes:\n      - ./data:/data:z\n' >compose.override.yaml
edits 'read-only=compose.override.yaml:5 user=compose.override.yaml:3 group-add=compose.yaml:3'
printf 'services:\n  app:\n    group_add: ["7077"]\n' >compose.override.yaml
edits 'read-only=compose.yaml:5 user=compose.yaml:4 group-add=compose.override.yaml:3'
printf 'services:\n  app:\n    user: !reset null\n' >compose.override.yaml
# Whom the command line names stays who he is, whatever the file says.
edits 'read-only=compose.yaml:5 group-add=compose.yaml:3' --user app=1001:1001
only
# A base in another file is others' too: the service's own file is edited where that will do.
mkdir -p parts
printf 'services:\n  base:\n    image: example\n    user: "1001:1001"\n    group_add: ["7077"]\n    volumes: ["../data:/data"]\n' >parts/base.yaml
printf 'services:\n  app:\n    extends:\n      file: parts/base.yaml\n      service: base\n' >compose.yaml
edits 'read-only=parts/base.yaml:6 user=compose.yaml:3 group-add=compose.yaml:3'
printf 'services:\n  app: {extends: {file: parts/base.yaml, service: base}}\n  more: {extends: {file: parts/base.yaml, service: base}, user: "7001:7005"}\n' >compose.yaml
edits 'read-only user=compose.yaml:2 group-add=compose.yaml:2'
printf 'include:\n  - parts/one.yaml\nservices:\n  second: {image: example, user: "7001"}\n' >compose.yaml
printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n    volumes: ["../data:/data"]\n' >parts/one.yaml
edits 'read-only=parts/one.yaml:5 user=parts/one.yaml:4 group-add=parts/one.yaml:3'
only && rm -r parts
# Two services alike: each of its own.
cat >compose.yaml <<'END'
services:
  one: {image: example, user: "1001:1001", volumes: ["./data:/data"]}
  two: {image: example, user: "7001:7001", volumes: ["./data:/data"]}
END
edits 'read-only=compose.yaml:2 user=compose.yaml:2 group-add=compose.yaml:2'
# What is missing will be root's: no other user would do.
compose 'volumes: ["./data:/data", "./new:/new"]'
edits 'read-only=compose.yaml:5'
only

# Run lines: a script, a README, a Makefile, the command line.
cat >run.sh <<'END'
#!/bin/sh
DATA="$PWD/data"
docker run --rm \
	-u 1001:1001 \
	-v "$DATA":/data \
	example sleep 1
END
edits 'read-only=run.sh:5 user=run.sh:4 group-add=run.sh:6' -f run.sh
sed -i 's/-u 1001:1001/--user="1001:1001"/; s/:\/data/:\/data:rw/' run.sh
edits 'read-only=run.sh:5 user=run.sh:4 group-add=run.sh:6' -f run.sh
cat >run.sh <<'END'
#!/bin/sh
OPTIONS="--user 1001:1001 --group-add 7077"
docker run $OPTIONS --mount "type=bind,src=$PWD/data,dst=/data" "example"
END
edits 'read-only=run.sh:3 user=run.sh:3 group-add=run.sh:3' -f run.sh
# shellcheck disable=SC2016
printf '# Use\n\n```console\n$ docker run -u 1001:1001 \\\n>   -v ./data:/data example\n```\n' >README.md
edits 'read-only=README.md:5 user=README.md:4 group-add=README.md:5' -f README.md
# shellcheck disable=SC2016
printf 'run:\n\tdocker run -u 1001:1001 -v $(PWD)/data:/data example\n' >Makefile
edits 'read-only=Makefile:2 user=Makefile:2 group-add=Makefile:2' -f Makefile --env PWD="$PWD"
edits 'read-only=<command line>:1 user=<command line>:1 group-add=<command line>:1' -- docker run -u 1001:1001 -v ./data:/data example
edits 'read-only=<command line>:1 user=<command line>:1 group-add=<command line>:1' -- docker run --user=1001:1001 --volume=./data:/data:z --group-add=7077 example --user 7
# Standard input is no file to be edited, and is not read twice.
compose 'volumes: ["./data:/data"]'
bindright plan --sysroot . --format json -f - <compose.yaml >plan.json || true
grep -q '"edit": null' plan.json || die "no advice"
! grep -q '"with"' plan.json || die "an edit of standard input"
only

# Podman's user namespaces.
chown -R 7001:7001 data && chmod -R u=rwX,go= data
rootless=(--engine podman-rootless --engine-user alice)
compose 'volumes: ["./data:/data"]'
edits 'userns=compose.yaml:3' "${rootless[@]}"
compose 'volumes: ["./data:/data"]' 'userns_mode: "auto"'
edits '' "${rootless[@]}"
compose 'volumes: ["./data:/data"]' 'userns_mode: "keep-id"'
edits 'userns=compose.yaml:6' "${rootless[@]}"
only
printf 'podman run --userns keep-id -u 1001:1001 -v ./data:/data example\n' >run.sh
edits 'userns=run.sh:1' -f run.sh "${rootless[@]}"
edits 'userns=<command line>:1' "${rootless[@]}" -- podman run -u 1001:1001 -v ./data:/data example
# Root's Podman: IDs that the mount maps.
chown -R 1001:1001 data
map=(--uidmap 0:100000:65536 --gidmap 0:100000:65536)
edits 'idmap=<command line>:1' --engine podman --engine-version 4.3 -- podman run "${map[@]}" -u 1001:1001 -v ./data:/data example
edits 'idmap=<command line>:1' --engine podman --engine-version 4.3 -- podman run "${map[@]}" -u 1001:1001 -v ./data:/data:rw,z example
edits 'idmap=<command line>:1' --engine podman --engine-version 4.3 -- podman run "${map[@]}" -u 1001:1001 --mount type=bind,src=./data,dst=/data example
printf 'podman run %s -u 1001:1001 \\\n  -v "./data:/data" example\n' "${map[*]}" >run.sh
edits 'idmap=run.sh:2' --engine podman --engine-version 4.3 -f run.sh
