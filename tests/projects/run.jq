# From `docker compose config --format json`: one line a service, its image, its mounts and the options of `docker run`, as words for the shell.
def mounts: [.volumes // [] | .[] | select(.type == "bind")];
def options($project):
	(if .user then ["--user", .user] else [] end)
	+ [.group_add // [] | .[] | "--group-add", tostring]
	+ [.cap_drop // [] | .[] | "--cap-drop", .]
	+ [.cap_add // [] | .[] | "--cap-add", .]
	+ (if .read_only then ["--read-only"] else [] end)
	+ [.security_opt // [] | .[] | "--security-opt", .]
	+ [.tmpfs // [] | if type == "string" then [.] else . end | .[] | "--tmpfs", .]
	+ [.environment // {} | to_entries[] | select(.key | test("^P[UG]ID$")) | "--env", "\(.key)=\(.value)"]
	+ [.volumes // [] | .[]
		| if .type == "bind" and (.bind.create_host_path // false) then "--volume", "\(.source):\(.target)\(if .read_only then ":ro" else "" end)"
		elif .type == "bind" then "--mount", "type=bind,source=\(.source),target=\(.target)\(if .read_only then ",readonly" else "" end)"
		elif .type == "volume" then "--volume", "\(.source // ""):\(.target)"
		elif .type == "tmpfs" then "--tmpfs", .target
		else error("volume \(.type)") end]
	+ [.secrets // [] | .[] | . as $s | "--mount", "type=bind,source=\($project.secrets[$s.source].file),target=\(if ($s.target // "") | startswith("/") then $s.target else "/run/secrets/\($s.target // $s.source)" end),readonly"]
	+ [.configs // [] | .[] | . as $s | select($project.configs[$s.source].file) | "--mount", "type=bind,source=\($project.configs[$s.source].file),target=\($s.target // "/\($s.source)"),readonly"];
def tried($project):
	[mounts[] | "\(if .read_only then "ro" else "rw" end):\(.target)"]
	+ [.secrets // [] | .[] | . as $s | "ro:\(if ($s.target // "") | startswith("/") then $s.target else "/run/secrets/\($s.target // $s.source)" end)"]
	+ [.configs // [] | .[] | . as $s | select($project.configs[$s.source].file) | "ro:\($s.target // "/\($s.source)")"];
. as $project | .services | to_entries[]
| [.key, .value.image // "\($project.name)-\(.key)", (if .value.build then .value.build.context else "" end),
	(.value.build.dockerfile // "Dockerfile"), (.value.build.target // ""),
	(if .value.entrypoint then "entrypoint" else "" end), (.value | tried($project) | join(" "))]
	+ (.value | options($project))
| @sh
