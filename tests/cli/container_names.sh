#!/usr/bin/env bash
# A name that no container of the engine has: the nearest one that it does have is named, where the engine says so.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

# An engine with containers of which nothing is known but the names: what it answers where it is asked for those is in $T/list, with the status in $T/status.
cat >"$T/engine.py" <<'END'
import http.server, json, socketserver, sys
top, kind = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status, body = 404, b"{}"
        if self.path == "/version":
            parts = [{"Name": "Podman Engine"}] if kind == "podman" else []
            status, body = 200, json.dumps({"ApiVersion": "1.41", "Version": "4.3.1", "Components": parts}).encode()
        elif self.path == ("/v4.0.0/libpod/containers/json?all=true" if kind == "podman" else "/v1.41/containers/json?all=1"):
            status, body = int(open(top + "/status").read()), open(top + "/list", "rb").read()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return ""
    def log_message(self, *args):
        pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
server = Server(top + "/" + kind + ".sock", Handler)
print("listens", flush=True)
server.serve_forever()
END
python3 "$T/engine.py" "$T" docker >"$T/docker.said" &
docker=$!
python3 "$T/engine.py" "$T" podman >"$T/podman.said" &
podman=$!
trap 'kill $docker $podman || true; clean_up' EXIT
until grep -q listens "$T/docker.said" && grep -q listens "$T/podman.said"; do
	if ! kill -0 $docker || ! kill -0 $podman; then die "no engine"; fi
	sleep 0.05
done

answer() { echo "$1" >"$T/status" && printf '%s' "$2" >"$T/list"; }
ask() { golden 2 env "DOCKER_HOST=unix://$T/docker.sock" "$BINDRIGHT" check --engine docker "$@"; }
list='[{"Names": ["/db"]}, {"Names": ["/db/wbe", "/web"]}, {"Names": ["/shop-worker-1"]}]'
answer 200 "$list"
ask --container wbe
ask --container shop_worker_1 --container wbe
# Nothing is near, or the word is nobody's typing error.
ask --container cache
ask --container "shop-worker-1$(printf '%060d' 0)"
# Where the engine does not say it, that is all the same.
answer 500 "$list" && ask --container wbe
answer 200 '{"web": 1}' && ask --container wbe
answer 200 '[{"Names": null}, {"Names": [7, "", "/", "/w b"]}, 7, null]' && ask --container wbe
answer 200 '' && ask --container wbe

answer 200 '[{"Names": ["db"]}, {"Names": ["web"]}]'
golden 2 env "CONTAINER_HOST=unix://$T/podman.sock" "$BINDRIGHT" check --engine podman --container wbe
# Two engines could have it, and neither does.
golden 2 env "DOCKER_HOST=unix://$T/docker.sock" "CONTAINER_HOST=unix://$T/podman.sock" "$BINDRIGHT" check --container wbe
done_golden
