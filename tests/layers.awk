# Usage: find src include -name '*.[ch]' | xargs awk -f tests/layers.awk
# A module is src/NAME.c, or everything in src/NAME/, plus include/bindright/NAME.h.
# It may include a public header of a lower layer, a private header of base or doc where they are lower, and its own files.
BEGIN {
	n = split("arena|base|diag|doc idmap engine|spec source inode|image habits|identity|demand access scan|server|check|explain plan|apply|report|cli", layer, "|")
	for (i = 1; i <= n; i++) {
		m = split(layer[i], name, " ")
		for (j = 1; j <= m; j++) {
			rank[name[j]] = i
		}
	}
}

function module(path) {
	sub(/^src\//, "", path)
	sub(/^include\/bindright\//, "", path)
	sub(/\/.*/, "", path)
	sub(/\.[ch]$/, "", path)
	# One module in two files: what may be done, and what is made.
	sub(/^access_create$/, "access", path)
	return path
}

function complain(what) {
	print FILENAME ":" FNR ": " what
	bad = 1
}

# The module of a private header as it is written; what lies beside the file or above it in the same folder is its own.
function owner(it, path) {
	path = FILENAME
	sub(/[^\/]*$/, "", path)
	while (it ~ /^\.\.\//) {
		sub(/^\.\.\//, "", it)
		sub(/[^\/]*\/$/, "", path)
	}
	# "x.h", or <folder/x.h> from -Isrc.
	return module(quoted ? path it : it)
}

FNR == 1 {
	me = module(FILENAME)
	if (!(me in rank)) {
		complain("module '" me "' has no layer")
	}
}

/^#[ \t]*include/ {
	public = $0 ~ /<bindright\//
	quoted = $0 ~ /"/
	private = quoted || $0 ~ /<[a-z]+\/[a-z_\/]+\.h>/
	it = $0
	gsub(/^[^<"]*[<"]|[>"].*$/, "", it)
	if (public) {
		sub(/^bindright\//, "", it)
		to = module(it)
	} else if (private) {
		to = owner(it)
		# <sys/stat.h> and the like are nobody's.
		if (!quoted && !(to in rank)) {
			next
		}
		if (to != me && to != "base" && to != "doc") {
			complain("private header of '" to "'")
			next
		}
	} else {
		next
	}
	if (!(to in rank)) {
		complain("no such module as '" to "'")
	} else if (to != me && rank[to] >= rank[me]) {
		complain("'" me "' must not include '" to "'")
	}
}

END {
	exit bad
}
