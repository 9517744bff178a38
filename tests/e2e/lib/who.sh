# Who a container's process is: as the container sees it, and as bindright works it out.
# shellcheck shell=bash disable=SC2154
#
# Sourced after lib.sh. `box` is the engine's command: a client that knows run. `lend` is given for images that may have no
# program at all.

# "UID GID GROUPS…", or "refused": see IMAGE USER-WORD GROUPS SCRATCH-FILE.
see() {
	local image=$1 word=$2 options=() program=(cat) group
	if [ -n "${lend:-}" ]; then
		options=(--volume "$(command -v busybox):/busybox:ro")
		program=(/busybox cat)
	fi
	[ -z "$word" ] || options=(--user "$word")
	for group in $3; do
		options+=(--group-add "$group")
	done
	if "${box[@]}" run --rm --network none "${options[@]}" "$image" "${program[@]}" /proc/self/status >"$4.status" 2>"$4.err"; then
		awk '$1 == "Uid:" || $1 == "Gid:" { printf "%s ", $2 }' "$4.status"
		# Some engines name a group twice, and some leave the process's own out, which changes nothing.
		awk '$1 == "Gid:" { print $2 } $1 == "Groups:" { for (i = 2; i <= NF; i++) print $i }' "$4.status" |
			sort -nu | tr '\n' ' '
	elif grep -qiE 'unable to find (user|group)|uids and gids must be in range' "$4.err"; then
		printf refused
	else
		cat "$4.err" >&2
		printf failed
	fi
	rm -f "$4.status" "$4.err"
}

# "N UID GID GROUPS…", "N unknown", "N refused"; then what is known of it.
worked_out() {
	awk '
		/^      "name": "c[0-9]+"/ { gsub(/[^0-9]/, ""); n = $0; why = 0 }
		/^        "uid": / { gsub(/[^0-9]/, ""); uid = $0 }
		/^        "gid": / { gsub(/[^0-9]/, ""); gid = $0 }
		/^        "groups": / { groups = ""; inside = !/\]/; next }
		inside && /\]/ { inside = 0 }
		inside { gsub(/[^0-9]/, ""); groups = groups " " $0 }
		/^        "why": / { why = /the engine will refuse/ ? "refused" : "unknown" }
		/^        "groups_complete": / { complete = /true/ }
		/^        "confidence": / {
			gsub(/.*: "|".*/, "")
			print n, (why ? why : uid " " gid groups) >who
			print n, $0, (complete ? "complete" : "open") >sure
		}' who="$1" sure="$2"
}
