#!/usr/bin/env bash
# What `make install` puts there is what somebody else needs: the example in examples/library is built with nothing else, and
# what it says of a project is what its containers meet.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

prefix=$engine/prefix dest=$engine/dest
quietly() { "$@" >"$out" 2>"$err" || { cat "$out" "$err" >&2; die "failed: $*"; }; }
# With the flags of the build that is tested, or everything would be compiled again.
install_to() { quietly make -C "$BR_TOP" O="${BR_BUILD#"$BR_TOP"/}" "$@"; }

# For a package: below DESTDIR, with the final paths inside.
install_to install DESTDIR="$dest" PREFIX=/usr
for file in bin/bindright lib/libbindright.a lib/pkgconfig/bindright.pc share/man/man1/bindright.1 share/man/man3/libbindright.3 \
	share/man/man7/bindright.7 share/man/man5/bindright-json.5 share/bash-completion/completions/bindright share/zsh/site-functions/_bindright \
	share/fish/vendor_completions.d/bindright.fish; do
	[ -f "$dest/usr/$file" ] || die "$file is not installed"
done
for header in "$BR_TOP"/include/bindright/*.h; do
	cmp "$header" "$dest/usr/include/bindright/$(basename "$header")" || die "$header is not installed"
done
[ "$(readlink "$dest/usr/lib/docker/cli-plugins/docker-bindright")" = /usr/bin/bindright ] || die "the plugin leads elsewhere"
[ -z "$(nm -g --defined-only "$dest/usr/lib/libbindright.a" 2>/dev/null | awk 'NF == 3 && $3 !~ /^br_/')" ] || die "the library takes names that are the user's"
if grep -rqI "$engine" "$dest"; then die "an installed file names DESTDIR"; fi
[ -z "$(find "$dest" -type f -perm /022)" ] || die "installed files are writable by others"
install_to uninstall DESTDIR="$dest" PREFIX=/usr
[ -z "$(find "$dest" ! -type d)" ] || die "left behind: $(find "$dest" ! -type d)"

# For a user: below a prefix, found by pkg-config there. Nothing of the sources is in reach.
install_to install PREFIX="$prefix"
cp -r "$BR_TOP/examples/library" "$work/library"
rm -f library/mounts
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
quietly pkg-config --validate bindright
[ "$(pkg-config --modversion bindright)" = "$("$prefix/bin/bindright" --version | cut -d' ' -f2)" ] || die "the .pc file has another version"
quietly env -u MAKEFLAGS make -C library CFLAGS='-g -O2 -Wall -Wextra -Werror'
mounts=$work/library/mounts

mkdir project && cd project
mkdir served
chown 1000:1000 served
printf 'services:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes:\n      - ./served:/data\n' >compose.yaml
if can 1001:1001 "$PWD/served" -- touch /data/f; then die "it fits from the start"; fi
expect 1 "$mounts"
says "misfit: app needs rwx of $PWD/served and has r-x"
says "BR101: compose.yaml:6: uid 1001 cannot write"
says "would acl $PWD/served: u:1001:rwx"
says "gains: uid:1001 rwx"
[ "$(getfacl -cpn served | grep -c '^user:1001')" = 0 ] || die "it changed something"
expect 0 "$prefix/bin/bindright" fix --yes
expect 0 "$mounts" "$PWD"
says "fits: app needs rwx"
can 1001:1001 "$PWD/served" -- touch /data/f || die "the container cannot write"
rm served/f
expect 0 "$prefix/bin/bindright" undo --yes
expect 1 "$mounts" .

echo 'services: {app: {image: x, usr: 1}' >compose.yaml
expect 2 "$mounts" .
says "mounts: compose.yaml:"
expect 2 "$mounts" /nonexistent

# Without leaks or errors, where it can be seen.
if command -v valgrind >/dev/null; then
	printf 'services:\n  app:\n    image: busybox\n    user: "1001:1001"\n    volumes:\n      - ./served:/data\n' >compose.yaml
	expect 1 valgrind -q --error-exitcode=99 --leak-check=full "$mounts"
fi
