#!/usr/bin/env bash
# An engine that takes every question and answers none: it is waited for once, whatever else would have been asked of it, and that is said.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

# A line in $T/asked for each that comes, until the test ends.
cat >"$T/silent.py" <<'END'
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(50)
print("listens", flush=True)
guests = []
while True:
    guests.append(listener.accept()[0])
    print("asked", flush=True)
END
python3 "$T/silent.py" "$T/silent.sock" >"$T/asked" &
server=$!
trap 'kill $server; clean_up' EXIT
until grep -q listens "$T/asked"; do kill -0 $server; sleep 0.05; done

mkdir data && chown 1000:1000 data
printf 'services:\n  app:\n    image: example\n    volumes: ["./data:/data"]\n' >compose.yaml
export DOCKER_HOST=unix://$T/silent.sock
for command in check plan; do
	got=0
	"$BINDRIGHT" $command >"$T/out" 2>"$T/err" || got=$?
	[ $got = 1 ] || die "$command: exit status $got: $(cat "$T/err")"
	grep -qF "the engine at '$T/silent.sock' was not asked about images: it takes too long" "$T/err" || die "$command: $(cat "$T/err")"
	grep -q BR303 "$T/out" || die "$command: $(cat "$T/out")"
done
# What others mount is not asked either, and nothing of that changes what is known.
"$BINDRIGHT" plan --user app=1001:1001 >"$T/out" 2>"$T/err" || true
grep -q 'gains' "$T/out" || die "plan: $(cat "$T/out" "$T/err")"

# Once each; on a busy machine it may be a moment until that is written.
times() { grep -c asked "$T/asked" || true; }
for _ in $(seq 600); do
	[ "$(times)" -lt 3 ] || break
	sleep 0.1
done
[ "$(times)" = 3 ] || die "it was asked $(times) times"
