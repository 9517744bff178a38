#!/usr/bin/env bash
# Root in the container: with Docker's capabilities it overrides, without them it is a stranger.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir data
echo x >data/f
chmod 600 data/f
chown -R 1000:1000 data

compose() { # what stands below the service
	printf 'services:\n  app:\n    image: busybox\n    user: "0:0"\n    volumes: ["./data:/data"]\n%s' "$1" >compose.yaml
}

agree() { # options of docker run: bindright's word against what really happens
	local real=1 said=1
	in_container 0:0 "$work/data" "$@" -- 'cat /data/f >/dev/null && echo y >>/data/f && touch /data/n && rm /data/n' >/dev/null 2>&1 && real=0
	"$BINDRIGHT" check >"$out" 2>"$err" && said=0
	[ $real = $said ] || { cat "$out" "$err"; die "the container says $real, bindright says $said: $*"; }
	echo "agreed on $real: $*"
}

compose ""
agree
compose "    cap_drop: [ALL]
"
agree --cap-drop ALL
says BR107
compose "    cap_drop: [dac_override]
"
agree --cap-drop dac_override
compose "    cap_drop: [ALL]
    cap_add: [CAP_DAC_OVERRIDE]
"
agree --cap-drop ALL --cap-add CAP_DAC_OVERRIDE
compose "    cap_drop: [ALL]
    cap_add: [DAC_READ_SEARCH]
"
agree --cap-drop ALL --cap-add DAC_READ_SEARCH

# fix serves root without capabilities like anybody else.
compose "    cap_drop: [ALL]
"
expect 0 "$BINDRIGHT" fix --yes
agree --cap-drop ALL
