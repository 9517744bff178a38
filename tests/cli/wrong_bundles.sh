#!/usr/bin/env bash
# Bundles that no runtime would take: what is wrong, where, and what would be right.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

wrong() {
	golden 2 bindright inspect "$@"
	[ ! -s "$T/out" ] || die "something on standard output: $*"
}
# config LINES: what stands in the config beside ociVersion; the lines replace the good ones of these names.
config() {
	cat >config.json
	wrong --kind oci -f config.json
}
user='"process": {"user": {"uid": 0, "gid": 0}}'
root='"root": {"path": "rootfs"}'
# mounts ITEMS: a good config with these mounts.
mounts() { config <<<"{\"ociVersion\": \"1.0.2\", $user, $root, \"mounts\": [$1]}"; }
linux() { config <<<"{\"ociVersion\": \"1.0.2\", $user, $root, \"linux\": $1}"; }
process() { config <<<"{\"ociVersion\": \"1.0.2\", \"process\": $1, $root}"; }

# ---- no config ----
wrong --kind oci -f none.json
wrong --kind oci
mkdir empty
wrong -f empty
wrong --kind oci -f empty
config <<<''
config <<<'[]'
config <<<'"ociVersion"'
config <<<'ociVersion: 1.0.2'
config <<<'{ociVersion: "1.0.2"}'
config <<<"{'ociVersion': \"1.0.2\"}"
config <<<'{"ociVersion": "1.0.2"'
config <<<'{"ociVersion": "1.0.2",}'
config <<<'{"ociVersion": 1.0}'
config <<<"{\"ociVersion\": \"2.0.0\", $user, $root}"
config <<<"{$user, $root}"
config <<<"{\"ociVersion\": \"1.0.2\", $user}"
config <<<"{\"ociVersion\": \"1.0.2\", $root}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, $root, $root}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, $root, \"windows\": {}}"

# ---- the process ----
process '[]'
process '{"user": "app"}'
process '{"user": {"uid": "1001", "gid": 0}}'
process '{"user": {"uid": -1, "gid": 0}}'
process '{"user": {"uid": 4294967296, "gid": 0}}'
process '{"user": {"uid": 0x10, "gid": 0}}'
process '{"user": {"uid": 010, "gid": 0}}'
process '{"user": {"uid": 1.5, "gid": 0}}'
process '{"user": {"uid": 0, "gid": true}}'
process '{"user": {"uid": 0, "gid": 0, "additionalGids": 5}}'
process '{"user": {"uid": 0, "gid": 0, "additionalGids": [5, "audio"]}}'
process '{"user": {"uid": 0, "gid": 0, "umask": 512}}'
process '{"user": {"uid": 0, "gid": 0, "umask": "0022"}}'
process '{"user": {"uid": 0, "gid": 0}, "env": ["A=B", 5]}'
process '{"user": {"uid": 0, "gid": 0}, "noNewPrivileges": "yes"}'
process '{"user": {"uid": 0, "gid": 0}, "capabilities": ["CAP_CHOWN"]}'
process '{"user": {"uid": 0, "gid": 0}, "capabilities": {"bounding": "CAP_CHOWN"}}'
process '{"user": {"uid": 0, "gid": 0}, "capabilities": {"bounding": ["CHOWN"]}}'
process '{"user": {"uid": 0, "gid": 0}, "capabilities": {"ambient": [1]}}'

# ---- root ----
config <<<"{\"ociVersion\": \"1.0.2\", $user, \"root\": \"rootfs\"}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, \"root\": {}}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, \"root\": {\"path\": \"\"}}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, \"root\": {\"path\": 5}}"
config <<<"{\"ociVersion\": \"1.0.2\", $user, \"root\": {\"path\": \"rootfs\", \"readonly\": \"true\"}}"

# ---- linux ----
linux '[]'
linux '{"namespaces": {"type": "user"}}'
linux '{"namespaces": ["user"]}'
linux '{"namespaces": [{"type": "usr"}]}'
linux '{"namespaces": [{"type": "user"}]}'
linux '{"namespaces": [{"type": "user"}], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]}'
linux '{"uidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]}'
linux '{"namespaces": [{"type": "user"}], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]}'
linux '{"namespaces": [{"type": "user"}], "uidMappings": ["0:1:5"], "gidMappings": []}'
linux '{"namespaces": [{"type": "user"}], "uidMappings": [{"containerID": "0", "hostID": 1, "size": 5}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]}'

# ---- mounts ----
config <<<"{\"ociVersion\": \"1.0.2\", $user, $root, \"mounts\": {}}"
mounts '"/data"'
mounts '{"source": "/data", "type": "bind", "options": ["rbind"]}'
mounts '{"destination": 5, "source": "/data", "options": ["rbind"]}'
mounts '{"destination": "/data", "options": ["rbind"]}'
mounts '{"destination": "/data", "source": "", "options": ["rbind"]}'
mounts '{"destination": "/data", "source": 5, "options": ["rbind"]}'
mounts '{"destination": "/data", "source": "/data", "type": "bind"}'
mounts '{"destination": "/data", "source": "/data", "options": "rbind"}'
mounts '{"destination": "/data", "source": "/data", "options": ["rbind", 1]}'
mounts '{"destination": "/data", "source": "/data", "options": ["rbind"], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]}'
mounts '{"destination": "/data", "source": 5, "options": ["rbind", 1]}, {"source": "x", "options": ["bind"]}'
done_golden
