#!/usr/bin/env bash
# XDG_STATE_HOME says where the journals of a user lie where it is his own directory below his home, and nothing else.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p home/data home/.local home/states home/theirs out && touch home/data/f
echo "alice:x:7001:7001::$T/work/home:/bin/sh" >passwd.new
cat /etc/passwd passwd.new >"$T/passwd" && mount --bind "$T/passwd" /etc/passwd
ln -s states home/link && ln -s ../out home/away && : >home/file
chown -hR 7001:7001 home out && chown 7002 home/theirs && chmod 700 home/states
cd home
compose 'volumes: ["./data:/data"]'
state=
alice() { setpriv --reuid 7001 --regid 7001 --clear-groups env HOME="$T/work/home" XDG_STATE_HOME="$state" "$BINDRIGHT" "$@"; }
# journal_lies_in DIRECTORY: of a fix and its undo, with this state.
journal_lies_in() {
	local found
	alice fix -q --yes >"$T/out" 2>&1 || die "no fix with '$state': $(cat "$T/out")"
	found=$(cd "$T/work" && find . -name journal -printf '%h\n' | sed 's|^\./||; s|/runs/.*||')
	[ "$found" = "$1" ] || die "the journal lies in '$found', not '$1', with '$state'"
	alice undo -q --yes >"$T/out" 2>&1 || die "no undo with '$state': $(cat "$T/out")"
	rm -rf "${T:?}/work/${found:?}"
}

state=$T/work/home/states journal_lies_in home/states/bindright
state=$T/work/home/link journal_lies_in home/states/bindright
state=$T/work/home/data/../states journal_lies_in home/states/bindright
for state in '' states "$T/work/out" "$T/work/home/away" "$T/work/home/theirs" "$T/work/home" "$T/work/home/none" \
	"$T/work/home2"; do
	journal_lies_in home/.local/state/bindright
done
# Root has one place.
XDG_STATE_HOME=$T/work/out bindright fix -q --yes >"$T/out" 2>&1 || die "no fix by root: $(cat "$T/out")"
[ -z "$(find "$T/work" -name journal)" ] || die "root's journal lies among the files of others"
