# Shared by the tests of the command line: one behaviour a file, compared with its golden file.
# shellcheck shell=bash
#
#   golden 1 bindright check     run it; status, standard output and standard error are those of NAME.golden
#
# A golden file holds every golden call of its script in order. UPDATE=1 writes it anew: read the difference before you
# commit it. Paths of the test's own directory are written as $T, IDs of runs as RUN, times as TIME; whether there is a jail
# depends on the machine and is left out (require_jail.sh), and so is a word about the file system that TMPDIR lies on.

skip() {
	echo "skip: $*"
	exit 77
}
die() {
	echo "FAILED: $*" >&2
	exit 1
}

# In namespaces of our own (mounts, and the messages of mqueue), journals go to a directory of this test, which itself is always known by the same short
# name, so that lines break at the same places everywhere.
if [ -z "${CLI_INSIDE:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	export CLI_INSIDE=1
	exec unshare --mount --ipc --propagation private bash "$0" "$@"
fi

set -eu
[ -x "${BINDRIGHT:-}" ] || die "BINDRIGHT does not name the program"
golden_file=$BR_TOP/tests/cli/$(basename "$0" .sh).golden
real=$(mktemp -d)
T=/srv
chmod 755 "$real"
mount --bind "$real" $T
clean_up() {
	cd /
	awk -v top=$T/work/ 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r mount; do umount -l "$mount" || true; done
	chattr -R -i -a "$real" 2>/dev/null || true
	rm -rf "$real"
}
trap clean_up EXIT
mkdir $T/work
: >$T/golden
mkdir -m 700 /var/lib/bindright 2>/dev/null || [ -d /var/lib/bindright ]
# Made by hand, open to look at: that is accepted.
mkdir $T/state
mount --bind $T/state /var/lib/bindright
# An engine of this machine knows images of its own.
export DOCKER_HOST=unix://$T/no.sock CONTAINER_HOST=unix://$T/no.sock
# Nor do the settings of this host's Podman count, or of who runs the tests.
unset PODMAN_USERNS CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE XDG_CONFIG_HOME
mkdir $T/none
for dir in /etc/containers /usr/share/containers ~/.config/containers; do
	[ ! -d "$dir" ] || mount --bind $T/none "$dir"
done
# This host's own setting must not decide about what the tests see.
echo 1 >$T/one
mount --bind $T/one /proc/sys/fs/protected_hardlinks
# Other users must be able to run it, wherever it was built.
cp "$BINDRIGHT" $T/bindright
BINDRIGHT=$T/bindright
cd $T/work

bindright() { "$BINDRIGHT" "$@"; }

tidy() {
	sed -E -e "s|$T/work|\$T|g" -e 's/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8,16}/RUN/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z/TIME/g' \
		-e 's/("seconds": ?)[0-9.e-]+/\10/' -e 's/("(sha256|plan)": ?)"[0-9a-f]{64}"/\1"DIGEST"/' \
		-e '/^Careful: the journal is kept in memory /d'
}

golden() {
	local want=$1 got=0
	shift
	"$@" >"$T/out" 2>"$T/err" </dev/null || got=$?
	{
		printf '$ %s\n' "${*//"$BINDRIGHT"/bindright}" | tidy
		tidy <"$T/out"
		tidy <"$T/err" | sed -e '/: note: jail: off (/d' -e 's/^/! /'
	} >>"$T/golden"
	[ "$got" = "$want" ] || {
		cat "$T/out" "$T/err" >&2
		die "exit status $got, not $want: $*"
	}
}

# To be called at the end of each script that used golden.
done_golden() {
	if [ -n "${UPDATE:-}" ]; then
		cp "$T/golden" "$golden_file"
	fi
	diff -u "$golden_file" "$T/golden" >&2 || die "not as in $golden_file"
}

# compose LINES: a compose file with one service 'app' of user 1001:1001 and these lines below it.
compose() {
	printf 'services:\n  app:\n    image: example\n    user: "1001:1001"\n' >compose.yaml
	printf '    %s\n' "$@" >>compose.yaml
}
