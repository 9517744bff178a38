# Usage: find src include tests -name '*.[ch]' | xargs awk -f tests/layers.awk
# A module is src/NAME.c, or everything in src/NAME/, plus include/bindright/NAME.h.
# It may include a public header of a lower layer, anything in base/ or doc/, and its own files.
BEGIN {
	n = split("base|diag|doc|spec image source inode|identity|demand access scan|check|plan|apply|report|cli", layer, "|")
	for (i = 1; i <= n; i++) { m = split(layer[i], name, " "); for (j = 1; j <= m; j++) rank[name[j]] = i }
}
function module(path) {
	sub(/^src\//, "", path); sub(/^include\/bindright\//, "", path)
	sub(/\/.*/, "", path); sub(/\.[ch]$/, "", path)
	return path
}
FNR == 1 { me = module(FILENAME); if (!(me in rank) && FILENAME !~ /^tests\//) { print FILENAME ": module '" me "' has no layer"; bad = 1 } }
/^#[ \t]*include/ {
	if (FILENAME ~ /^tests\//) next
	it = $0
	if (it ~ /<bindright\//) { sub(/.*<bindright\//, "", it); sub(/\.h>.*/, "", it) }
	else if (it ~ /"/) { sub(/^[^"]*"/, "", it); sub(/".*/, "", it); it = it ~ /\// ? module(it) : me; if (it != me && it != "base" && it != "doc") { print FILENAME ":" FNR ": private header of '" it "'"; bad = 1 } }
	else next
	if (!(it in rank)) { print FILENAME ":" FNR ": no such module as '" it "'"; bad = 1 }
	else if (it != me && rank[it] >= rank[me]) { print FILENAME ":" FNR ": '" me "' must not include '" it "'"; bad = 1 }
}
END { exit bad }
