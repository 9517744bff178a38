#!/usr/bin/env bash
# What somebody changed since then is not put back, and each kind of change is called by its name.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p data/default && touch data/caps data/names data/whole
chown -R 7001:7001 data && chmod -R u=rwX,g=,o= data
compose 'volumes: ["./data:/data"]'
bindright fix -q --yes --sysroot "$T" >/dev/null 2>&1 || die 'no fix'
setfacl -d -m u:7002:r data/default
setcap cap_net_raw+ep data/caps
ln data/names data/second
# The walk's order is nobody's promise.
sorted_undo() {
	local got=0
	bindright undo --yes >undone || got=$?
	sort undone && return $got
}
golden 1 sorted_undo
# What was left alone is as it was found.
golden 0 getfacl -n data/default data/caps data/names data/whole
golden 0 getcap data/caps
done_golden
