#!/usr/bin/env bash
# Reports for programs of what seldom happens: each state of a source, each confidence, each kind of action, names that are no UTF-8.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p etc "$T/etc" closed/in other built shared
printf 'alice:x:7001:7001::/srv/work:/bin/sh\nnamed:x:1001:1001::/:/bin/sh\n' >"$T/etc/passwd"
printf 'alice:x:7001:\nnamed:x:1001:\nserve:x:2001:\n' >"$T/etc/group"
json() { golden "$1" "$BINDRIGHT" "${@:2}" --sysroot "$T" --format json; }

# Sources that are not there, or not what is asked for; people whom nobody knows.
touch file && ln -s nowhere link && chmod 700 closed && chmod 755 .
cat >compose.yaml <<'YAML'
services:
  number:
    image: example.org/nobody/knows
    user: "1001"
    volumes: ["./none:/none", "./file/in:/in", "./closed/in:/closed"]
    secrets: [key]
  root:
    image: example
    user: "0:0"
    cap_drop: [CHOWN, FOWNER, FSETID, SETFCAP, SETGID, SETPCAP, SETUID, AUDIT_WRITE, MKNOD, NET_RAW, NET_BIND_SERVICE, SYS_CHROOT]
    volumes: ["./other:/other"]
  nobody:
    image: example.org/nobody/knows
    volumes: ["./other:/other"]
  built:
    build: built
    volumes: [{type: bind, source: "./link", target: /link}]
secrets: {key: {file: ./closed}}
YAML
printf 'FROM busybox\nRUN adduser -D -u 1001 worker\nUSER worker\n' >built/Dockerfile
golden 1 setpriv --reuid 7001 --regid 7001 --clear-groups "$BINDRIGHT" check --sysroot "$T" --format json
rm built/Dockerfile

# Each kind of action, those for whom nothing can be done, and what is refused.
mkdir -p rooted acls/theirs owned grouped
chown -R 7001:7001 acls && chown 7002:7002 acls/theirs && chown 1001:1001 owned && chmod 555 owned && chown 7001:2001 grouped
cat >compose.yaml <<'YAML'
services:
  maker:
    image: example
    user: "5501:5501"
    volumes: ["./none/below:/none"]
  owner:
    image: example
    user: "1001:1001"
    volumes: ["./rooted:/rooted", "./acls:/acls", "./owned:/owned"]
YAML
json 1 plan --create-users
compose 'group_add: ["2001"]' 'volumes: ["./grouped:/grouped"]'
json 1 plan --strategy group
mkdir etc/one && mount --bind etc /boot
compose 'volumes: ["/boot:/data"]'
json 1 plan
json 3 fix --yes

# A plan that is kept: what proves that nothing has changed is not the same twice.
compose 'volumes: ["./rooted:/rooted"]'
saved_plan() {
	"$BINDRIGHT" plan --sysroot "$T" --format json -o saved.json || true
	sed -E 's/("(sha256|rest|seal)": )"[0-9a-f]+"/\1"DIGEST"/; s/("(inode|born|born_nanoseconds|caller)": )[0-9]+/\1 7/' saved.json
}
golden 0 saved_plan

# Any bytes.
mkdir "$(printf 'bad\377name')"
printf 'services: {app: {image: example, user: "1001:1001", volumes: ["./here:/data"]}}\n' >compose.yaml
ln -s "$(printf 'bad\377name')" here
touch "$(printf 'here/f\376')" && chmod 600 here/f*
json 1 check

cat >compose.yaml <<'YAML'
services:
  app:
    image: example
    build: {context: ., dockerfile_inline: "FROM busybox"}
    ipc: host
    volumes: [{type: bind, source: ./acls, target: /data, bind: {recursive: readonly}, read_only: true}]
YAML
json 0 inspect --origins
echo 'alice:100000:65536' | tee "$T/etc/subuid" >"$T/etc/subgid"
for words in '--uidmap 0:1:10 --gidmap 0:1:10 --pod pods -v ./acls:/data:idmap=uids=0-1-10' \
	'--subuidname alice --subgidname alice --hostuser alice --umask 027 --rootfs ./built'; do
	read -r -a options <<<"$words"
	golden 0 "$BINDRIGHT" inspect --sysroot "$T" --format json --origins -- podman run "${options[@]}" image
done
json 0 explain "$T/work/acls" --as 1001 --caps CAP_DAC_OVERRIDE
golden 0 bindright codes 101 --format json
done_golden
