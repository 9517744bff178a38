#!/usr/bin/env bash
# Every field of JSON that is promised, and every one that the code writes, comes out of some golden with a value that says something.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

# The promises: fields may be added here, none may go or change its meaning. "a[].b" is b in the objects of the list a.
cat >promised <<'END'
bindright.report/1
  schema tool.name tool.version command complete journal
  input.kind input.files[] input.project_directory input.project_name input.engine
  containers[].name containers[].image
  containers[].identity.user containers[].identity.uid containers[].identity.gid containers[].identity.groups[]
  containers[].identity.umask containers[].identity.host_uid containers[].identity.host_gid containers[].identity.host_groups[]
  containers[].identity.capabilities[] containers[].identity.confidence
  containers[].identity.origin[].field containers[].identity.origin[].from containers[].identity.origin[].file
  containers[].identity.origin[].line containers[].identity.origin[].column containers[].identity.origin[].text
  containers[].identities[].uid containers[].identities[].confidence
  containers[].mounts[].target containers[].mounts[].source containers[].mounts[].read_only containers[].mounts[].state
  containers[].mounts[].need containers[].mounts[].have containers[].mounts[].fits
  containers[].mounts[].inodes.seen containers[].mounts[].inodes.misfit
  containers[].mounts[].location.file containers[].mounts[].location.line containers[].mounts[].location.column
  findings[].code findings[].id findings[].severity findings[].container findings[].target findings[].path findings[].path_b64
  findings[].message findings[].because findings[].location.file findings[].location.line findings[].location.column
  findings[].fix.summary findings[].fix.commands[] findings[].count findings[].examples[]
  findings[].ignored.reason findings[].ignored.location.line
  plan.actions[].op plan.actions[].path plan.actions[].recursive plan.actions[].count plan.actions[].from plan.actions[].to
  plan.actions[].command
  plan.gains[].principal plan.gains[].under plan.gains[].from plan.gains[].to plan.gains[].count plan.gains[].examples[]
  plan.losses plan.changes plan.sha256 plan.left[].reason plan.left[].count plan.notes[]
  plan.trees[].path plan.trees[].strategy plan.trees[].reason plan.trees[].changes
  plan.refusals[].path plan.refusals[].rule plan.refusals[].option
  applied.inodes applied.directories applied.accounts applied.conflicts applied.failed applied.interrupted
  summary.containers summary.mounts summary.errors summary.warnings summary.infos summary.suppressed summary.inodes summary.seconds
bindright.spec/1
  schema input.kind input.files[] input.project_directory
  containers[].name containers[].user containers[].group_add[] containers[].userns_mode containers[].privileged
  containers[].cap_add[] containers[].cap_drop[] containers[].read_only containers[].security_opt[] containers[].network_mode
  containers[].pid containers[].image containers[].build.context containers[].build.dockerfile containers[].build.target
  containers[].build.args containers[].identity.uid
  containers[].mounts[].type containers[].mounts[].source containers[].mounts[].target containers[].mounts[].read_only
  containers[].mounts[].create_host_path containers[].mounts[].selinux containers[].mounts[].propagation
  containers[].mounts[].recursive containers[].mounts[].options[]
  containers[].mounts[].need containers[].mounts[].future_files containers[].mounts[].users[] containers[].mounts[].ignores[].code
  containers[].ignores[].code containers[].ignores[].reason containers[].ignores[].target
  containers[].origins.container.line containers[].origins.user.file containers[].origins.user.line containers[].origins.user.column
bindright.explain/1
  schema path as.uid as.gid as.groups[] as.capabilities[] need granted have rule
  steps[].path steps[].type steps[].uid steps[].gid steps[].mode steps[].acl steps[].rule steps[].have steps[].granted
  container container_path location.line
bindright.history/1
  schema runs[].id runs[].when runs[].by runs[].plan runs[].version runs[].input runs[].state
answer
  granted have rule error
line
  type code message schema summary.errors
END
# The words that a field may have.
cat >words <<'END'
bindright.report/1 containers[].identity.confidence certain derived assumed unknown
bindright.report/1 containers[].mounts[].state present missing dangling wrong-type unreachable
bindright.report/1 plan.actions[].op create-group create-user mkdir chown chmod acl
bindright.report/1 plan.trees[].strategy acl chown group
bindright.report/1 findings[].severity error warning info
bindright.report/1 command check plan fix
bindright.spec/1 containers[].mounts[].type bind volume-bind secret config
line type input finding plan summary
END
python3 - "$BR_TOP" <<'PYTHON' || die "fields without a golden"
import glob, json, re, sys

top = sys.argv[1]
seen = {}  # kind -> path -> set of values that say something

def put(kind, path, value):
    found = seen.setdefault(kind, {}).setdefault(path, set())
    if isinstance(value, dict):
        if value:
            found.add("{}")
        for key, item in value.items():
            put(kind, f"{path}.{key}" if path else key, item)
    elif isinstance(value, list):
        found.add("[]")
        for item in value:
            put(kind, path + "[]", item)
    elif value is not None and value != "":
        found.add(str(value))

def take(text):
    try:
        value = json.loads(text)
    except ValueError:
        return
    kind = value.get("schema") if "type" not in value else "line"
    if kind is None and ("error" in value or "granted" in value):
        kind = "answer"
    if "$schema" in value:
        kind = "sarif"
    put(kind or "other", "", value)

for name in glob.glob(f"{top}/tests/cli/*.golden"):
    lines = open(name, encoding="utf-8", errors="surrogateescape").read().split("\n")
    block = None
    for line in lines:
        if block is not None:
            block.append(line)
            if line == "}":
                take("\n".join(block))
                block = None
        elif line == "{":
            block = [line]
        elif line.startswith("{"):
            take(line)

missing = []
kind = None
for line in open("promised"):
    if not line.startswith(" "):
        kind = line.strip()
        continue
    for path in line.split():
        if not seen.get(kind, {}).get(path):
            missing.append(f"promised, but in no golden: {kind} {path}")
for line in open("words"):
    kind, path, *words = line.split()
    for word in words:
        if word not in seen.get(kind, {}).get(path, ()):
            missing.append(f"no golden has {kind} {path} = {word}")

# What the code writes, by name alone: keys of objects and lists.
known = {re.sub(r"\[\]$", "", path).split(".")[-1] for paths in seen.values() for path, values in paths.items() if values}
written = 0
known_keys = set()
for name in glob.glob(f"{top}/src/report/*.c") + glob.glob(f"{top}/src/cli/*.c") + glob.glob(f"{top}/src/explain/*.c"):
    # What stands in the text of people has names of its own.
    source = open(name, encoding="utf-8").read().split("/* Text. */")[0]
    keys = re.findall(r'\b(?:br_json|json)_\w+\(\s*json,\s*"([^"]+)"', source)
    keys += re.findall(r'\{"(\w+)", (?:&|container->)', source)
    for key in keys:
        written += 1
        if not name.endswith("sarif.c") and not name.endswith("github.c"):
            known_keys.add(key)
        if key not in known:
            missing.append(f"{name[len(top) + 1:]} writes '{key}', which is in no golden")
# And all of it, with the words that a field may have, is in the manual.
manual = open(f"{top}/docs/bindright-json.5", encoding="utf-8").read().replace("\\-", "-")
manual = set(re.findall(r"[\w-]+", manual))
values = re.findall(r'return "([a-z-]{3,})";', open(f"{top}/src/report/pen.c", encoding="utf-8").read())
# Of SARIF, which has a standard of its own, and what is never written.
values = [value for value in values if value not in ("note", "auto")]
if len(values) < 30:
    missing.append("too few words were found in the code")
for name in known_keys | set(values) | {"seal"}:
    if name not in manual:
        missing.append(f"docs/bindright-json.5 does not tell of {name}")
if written < 100:
    missing.append("too few fields were found in the code")
print("\n".join(sorted(set(missing))), file=sys.stderr)
sys.exit(bool(missing))
PYTHON
