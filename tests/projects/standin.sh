#!/bin/sh
# What runs in place of an image's entrypoint: it gives directories to its user and gives up root as that image does, and then uses its mounts.
#
# GIVES: paths that the entrypoint gives to DROPS, each with "=MODE" or "?" (only while it is empty) behind it, or not. DROPS: the account, or nothing.
# MOUNTS: "rw:TARGET" and "ro:TARGET". With an argument: run that as the one who is left; else try all mounts and say "ok TARGET" or "failed TARGET WHY".

# The linuxserver.io images: the account's numbers are variables.
if [ -n "${PUID:-}" ] && [ "${DROPS:-}" = abc ]; then
	printf 'root:x:0:0::/root:/bin/sh\nabc:x:%s:%s::/config:/bin/sh\n' "$PUID" "${PGID:-911}" >/etc/passwd
	printf 'root:x:0:\nabc:x:%s:\n' "${PGID:-911}" >/etc/group
fi

if [ -z "${DROPPED:-}" ] && [ -n "${DROPS:-}" ] && [ "$(id -u)" = 0 ]; then
	for give in $(echo "${GIVES:-}" | tr , " "); do
		path=${give%%[=?]*}
		[ -d "$path" ] || continue
		case $give in
		*\?) [ -n "$(ls -A "$path")" ] || chown "$DROPS" "$path" ;;
		*)
			find "$path" ! -user "$DROPS" -exec chown "$DROPS" {} +
			[ "$give" = "$path" ] || chmod "${give#*=}" "$path"
			;;
		esac
	done
	export DROPPED=yes COMMAND="${1:-}"
	# shellcheck disable=SC2016
	exec busybox su -s /bin/sh "$DROPS" -c 'if [ -n "$COMMAND" ]; then exec /standin "$COMMAND"; else exec /standin; fi'
fi

if [ $# -gt 0 ]; then
	umask 022
	eval "$1"
	exit
fi

# Each file whatever any class of its mode may; each directory be listed and entered, and in writable mounts something made and removed there.
try_tree() {
	find "$2" -xdev -type d 2>/dev/null | while IFS= read -r d; do
		ls -a "$d" >/dev/null 2>&1 || echo "cannot list $d"
		cd "$d" 2>/dev/null || echo "cannot enter $d"
		[ "$1" = ro ] || { mkdir "$d/.standin" && rmdir "$d/.standin"; } 2>/dev/null || echo "cannot write in $d"
	done
	find "$2" -xdev -type f -perm /444 2>/dev/null | while IFS= read -r f; do
		(: <"$f") 2>/dev/null || echo "cannot read $f"
	done
	find "$2" -xdev -type f -perm /222 2>/dev/null | while IFS= read -r f; do
		[ "$1" = ro ] || (: >>"$f") 2>/dev/null || echo "cannot write $f"
	done
	find "$2" -xdev -type f -perm /111 2>/dev/null | while IFS= read -r f; do
		[ -x "$f" ] || echo "cannot run $f"
	done
	# A program that reads its settings reads a file.
	case $2 in *.conf | *.js | *.yml | *.yaml | *.ini | *.json | *.toml | *.properties | *.cnf) [ -f "$2" ] || echo "no file $2" ;; esac
	[ -e "$2" ] || echo "cannot reach $2"
}

for mount in $MOUNTS; do
	why=$(try_tree "${mount%%:*}" "${mount#*:}")
	if [ -z "$why" ]; then
		echo "ok ${mount#*:}"
	else
		echo "failed ${mount#*:} $(echo "$why" | head -n 1)"
	fi
done
echo "done"
