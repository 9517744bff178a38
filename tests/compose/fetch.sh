#!/usr/bin/env bash
# Bring Debian's newer docker-compose packages, which run on Debian 12 too, for tests/compose: fetch.sh FOLDER
# FOLDER/VERSION/docker-compose is there afterwards for each suite that has one. Nothing is installed. The machine's own apt sources with another suite
# tell where they are. FOLDER comes when it is complete, so that what failed is not taken for done.
set -eu

# The tests were made with what came up to this one.
newest=2.40
whole=$1
mkdir -p "$(dirname "$whole")"
folder=$(mktemp -d "$whole.XXXXXX")
chmod 755 "$folder"
folder=$(cd "$folder" && pwd)
trap 'rm -rf "$folder"' EXIT

# Debian's own sources of this machine, with their keys, for another suite.
sources() {
	local suite=$1 file
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || sed -n '/^Types:/,/^$/p' "$file"
	done | awk -v suite="$suite" 'BEGIN { RS = ""; ORS = "\n\n" } /debian-archive/ && !/security/ { sub(/Suites:[^\n]*/, "Suites: " suite); print }'
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -nE "s/^deb +(\[[^]]*\] +)?([^ ]+debian\/?) +[a-z]+ +main.*/deb \1\2 $suite main/p" "$file"
	done | head -n 1
}

# again COMMAND...: some times, as a mirror may be in the midst of a change.
again() {
	local pause
	for pause in 10 30 0; do
		if "$@"; then return; fi
		sleep $pause
	done
	return 1
}

bring() {
	local suite=$1 apt=$folder/apt-$1 package version
	mkdir -p "$apt/etc/sources.list.d" "$apt/etc/preferences.d" "$apt/lists/partial" "$apt/cache/archives/partial"
	sources "$suite" >"$apt/all"
	if grep -q '^Types:' "$apt/all"; then
		mv "$apt/all" "$apt/etc/sources.list.d/other.sources"
	else
		mv "$apt/all" "$apt/etc/sources.list.d/other.list"
	fi
	local options=(-o "Dir::Etc=$apt/etc" -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
	download() {
		apt-get "${options[@]}" -qq update && (cd "$apt" && apt-get "${options[@]}" -qq download docker-compose)
	}
	again download
	package=$(echo "$apt"/docker-compose_*.deb)
	version=$(dpkg-deb -f "$package" Version | sed -E 's/^([0-9]+\.[0-9]+).*/\1/')
	# Sid moves on, and nobody knows today what a compose of tomorrow says, or which engines it will talk to.
	if dpkg --compare-versions "$version" gt "$newest"; then
		echo "docker-compose $version of $suite is newer than what the tests know ($newest)"
		rm -rf "$apt"
		return
	fi
	mkdir -p "$folder/$version"
	dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$folder/$version/docker-compose"
	chmod +x "$folder/$version/docker-compose"
	rm -rf "$apt"
	echo "$whole/$version/docker-compose"
}

for suite in trixie sid; do
	bring "$suite"
done
mkdir -p "$whole"
for version in "$folder"/*/; do
	rm -rf "${whole:?}/$(basename "$version")"
	mv "$version" "$whole/"
done
