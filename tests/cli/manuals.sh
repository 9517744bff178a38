#!/usr/bin/env bash
# The manual pages are well-formed, name what is there, and the example of libbindright(3) compiles and does what it says.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

cd "$BR_TOP/docs"
version=$(bindright --version)
for page in *.[1-8]; do
	[ -z "$(groff -ww -b -z -man -Tutf8 "$page" 2>&1 | tee "$T/said")" ] || die "groff: $(cat "$T/said")"
	[ -z "$(mandoc -T lint -W warning "$page" 2>&1 | tee "$T/said")" ] || die "mandoc: $(cat "$T/said")"
	grep -q "^\.TH .*\"$version\"" "$page" || die "$page is of another version"
	for section in NAME DESCRIPTION EXAMPLES 'SEE ALSO'; do
		grep -qx "\.SH $section" "$page" || die "$page has no section $section"
	done
	# What a page refers to of our own is there.
	while read -r name number; do
		[ -e "$name.$number" ] || die "$page refers to $name($number)"
	done < <(sed -nE 's/\\-/-/g; s/^\.(BR|IR) ((lib)?bindright(-json)?) \(([0-9])\).*/\2 \5/p' "$page")
done

# Everything in the words of the option table; tests/cli/completions.sh compares the options of bindright(1) with it.
bindright --list-options | awk -F'\t' 'NF == 2 { print $1 }' | while read -r command; do
	grep -qE "^\.(B|BR|BI) $command( |\$)" bindright.1 || die "bindright(1) lacks the command $command"
done
bindright codes | awk '/^BR/ { print $1 }' >"$T/codes"
grep -oE '\bBR[0-9]{3}\b' bindright.1 bindright.7 | cut -d: -f2 | sort -u | while read -r code; do
	grep -qx "$code" "$T/codes" || die "a page names $code, which is no code"
done
sed 's/\\-/-/g' bindright.7 | grep -oE -- '--[a-z][a-z-]+' | sort -u | while read -r option; do
	bindright --list-options | cut -f2 | grep -qx -- "$option" || die "bindright(7) names $option, which is no option"
done

# Each function that libbindright(3) names is declared in the header under which it stands, and each header is there.
sed -n '/^\.SH HEADERS/,/^\.SH EXAMPLES/p' libbindright.3 | awk '/^\.I / { header = $2 } /^\.BR br_/ { print header, $2 }' >"$T/named"
[ "$(wc -l <"$T/named")" -gt 60 ] || die "libbindright(3) names too few functions"
while read -r header name; do
	grep -qE "\b\**$name\(" "../include/bindright/$header" || die "$header does not declare $name()"
done <"$T/named"
grep -oE '\bbr_[a-z_]+ ?\(' libbindright.3 | tr -d ' (' | sort -u | while read -r name; do
	grep -qE "\b$name\(" ../include/bindright/*.h || die "no header declares $name()"
done
for header in ../include/bindright/*.h; do
	grep -qx "\.I $(basename "$header")" libbindright.3 || die "libbindright(3) lacks $(basename "$header")"
done

# The example, as a reader would take it from the page.
sed -n '/^\.EX$/,/^\.EE$/p' libbindright.3 | sed -e '1d;$d' -e 's/\\-/-/g' -e 's/\\e/\\/g' >"$T/example.c"
read -r -a libraries < <(pkg-config --libs libfyaml libacl libcap jansson mount libseccomp libarchive)
read -r -a sanitize <<<"${BR_SAN:+-fsanitize=$BR_SAN}"
"${CC:-cc}" -std=gnu17 -Wall -Wextra -Werror -I"$BR_TOP/include" "$T/example.c" "${sanitize[@]}" \
	"$BR_BUILD/libbindright.a" -pthread "${libraries[@]}" -o "$T/example" || die "the example does not compile"
cd $T/work
mkdir data
compose 'volumes: ["./data:/data"]'
got=0
"$T/example" >"$T/said" 2>&1 || got=$?
{ [ "$got" = 1 ] && grep -q "^compose.yaml:5: BR101 uid 1001 cannot write" "$T/said"; } || die "the example: $got, $(cat "$T/said")"
chown 1001:1001 data
"$T/example" >"$T/said" 2>&1 || die "the example: $(cat "$T/said")"
echo 'services: [' >compose.yaml
got=0
"$T/example" >"$T/said" 2>&1 || got=$?
{ [ "$got" = 2 ] && grep -q '^example: compose.yaml:1:' "$T/said"; } || die "the example: $got, $(cat "$T/said")"
