#!/usr/bin/env bash
# A Dockerfile that is missing is worth a word only where the user depends on it.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir data
chown 40001:40001 data
for user in 40001:40001 40001 app 40001:app 40001: ''; do
	printf 'services:\n  app:\n    build: ./none\n    user: "%s"\n    volumes: ["./data:/data"]\n' "$user" >compose.yaml
	"$BINDRIGHT" inspect 2>err >/dev/null || true
	echo "'$user' $(grep -c 'cannot read the Dockerfile' err || true)"
done >said
cat >want <<'END'
'40001:40001' 0
'40001' 1
'app' 1
'40001:app' 1
'40001:' 1
'' 1
END
diff want said
