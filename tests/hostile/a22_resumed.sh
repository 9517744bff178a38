#!/usr/bin/env bash
# A22: where a run was cut short, another one goes on to what it would have come to, and both are undone in order.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 a b c d/e d/f d/{1..57}
# On an overlay undo gives no setuid back.
[ $fs = overlay ] || chmod 4755 data/b
chmod 2770 data/d && chmod 600 data/d/f && setfacl -m u:7002:rwx data/d/e
compose 'volumes: ["./data:/data", "./more/new:/new"]'
how='--strategy chown --privileged-files'
runs() { find $T/state/runs -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }
newest() { runs | tail -n 1; }
forget() { rm -rf $T/state/runs/*; }
picture() {
	find . | sort | xargs getfacl -n -p
	find . -printf '%p %y %U:%G %m\n' | sort
}
# cut CALL:N PROGRAM...: killed there, or it came to its end before.
cut() {
	local status=0
	"$BR_BUILD/tests/hostile/meddle" "$1" "$slain" "${@:2}" >$T/out 2>&1 </dev/null || status=$?
	case $status in
	137) killed=$((killed + 1)) ;;
	0 | 98) ;;
	*) die "exit status $status: $*" ;;
	esac
}
whole() { [ "$(picture)" = "$after" ] || die "$*: not as it would have become: $(diff <(echo "$after") <(picture))"; }
undone() {
	local run
	for run in $(runs | sort -r); do want 0 undo $run; done
	kept
	[ "$(picture)" = "$before" ] || die "$*: not as before: $(diff <(echo "$before") <(picture))"
	forget
}
fixes="$BINDRIGHT fix -q --yes --sysroot $T $how"
keep data
killed=0
before=$(picture)
want 0 $fixes
after=$(picture)
undone 'whole'

# Cut short anywhere, in directories that are made and files that change several times.
for at in fdatasync:{2,3,4,6}+ mkdirat:1{,+} renameat2:1{,+} fchownat:{1,2,3,20,63,64}{,+} fchmodat2:{1,2}{,+} syncfs:1; do
	cut $at $fixes
	want 0 fix --resume $how
	whole $at
	undone $at
done
[ $killed -gt 15 ] || die "only $killed kills"
# Whoever goes on is cut short, too: as often as one likes.
for at in fchownat:1{,+} fchmodat2:1+ syncfs:1{,+} fdatasync:{1,2,3,5}+; do
	cut fchmodat2:2+ $fixes
	cut $at $fixes --resume
	cut $at $fixes --resume
	want 0 $fixes --resume
	whole $at
	undone $at
done
# An undo that was cut short is gone on from in the other direction.
for at in fchownat:{1,3,30}{,+} fchmodat2:{1,2}+; do
	want 0 $fixes
	cut $at "$BINDRIGHT" undo --yes
	want 0 $fixes --resume
	whole $at
	undone $at
done

# What is said. It is offered; what goes on says from where, and how all of it is put back.
cut fchownat:3+ $fixes
first=$(newest)
want 3 $fixes
says "run $first was cut short" "bindright undo $first puts back what it did" 'with --resume this goes on from there'
now=$(picture)
# Nobody is there to be asked; nothing is to be done; the words do not fit together.
want 1 "$BINDRIGHT" fix --sysroot $T $how --resume
says "by chown" "nothing was changed: run $first left 1 half done, and there is no terminal to ask on" 'bindright fix --resume --yes'
want 1 "$BINDRIGHT" fix --sysroot $T $how --resume --dry-run
says "run $first was cut short" '1 left half done would be put back first'
[ "$(picture)" = "$now" ] || die "something was changed"
want 0 "$BINDRIGHT" history
says 'unfinished'
want 0 fix $how --resume --format json -o $T/json
says "run $first was cut short: this goes on from there" '1 left half done was put back first'
second=$(newest)
python3 - $T/json $first $second <<'END' || die "$(cat $T/json)"
import json, sys
report = json.load(open(sys.argv[1]))
assert report["journal"] == sys.argv[3], report["journal"]
assert report["applied"]["resumed"] == [sys.argv[2]], report["applied"]
END
want 0 "$BINDRIGHT" history
says 'resumed' 'applied'
silent 'unfinished'
want 3 undo $first
says "run $second came later" "bindright undo $second comes first"
undone 'said'
# Without anything half done there is nothing to be asked but whether the plan is to be applied.
cut fdatasync:6+ $fixes
first=$(newest)
want 1 "$BINDRIGHT" fix --sysroot $T $how --resume
says "run $first was cut short" 'to apply the plan without being asked'
want 0 "$BINDRIGHT" history
says 'unfinished'
want 0 fix $how --resume
says "bindright undo $(newest), then bindright undo $first"
whole 'asked'
undone 'asked'
# It had done everything, and could not say so any more.
cut syncfs:1 $fixes
want 0 $fixes --resume
want 0 "$BINDRIGHT" history
says 'resumed'
whole 'all done'
undone 'all done'
# Nothing was cut short.
want 0 $fixes --resume
undone 'nothing'

# What somebody has changed since is taken as it is now, and said.
cut fchownat:3+ $fixes
chmod 604 data/d/57 && chown 7009 data/d/56 && mv data/d/55 data/moved
want 1 fix --resume $how
says 'is taken as it is now: its owner is now 7009' 'is taken as it is now: it is gone'
owned 7009:7001:644 data/d/56
belong 1001 data/d/57 data/moved
getfacl -n -p data/d/57 2>/dev/null | grep -q '^group::---' || die "somebody's chmod was lost"
want any undo
want any undo
chown 7001 data/d/56 && chmod 644 data/d/57 && mv data/moved data/d/55 && chown 7001:7001 data/d/55 && kept
forget
# Half done and not to be put back: nobody goes on from there.
cut fchownat:3+ $fixes
half=$(find data -type f -user 1001 ! -perm -060 | head -n 1)
[ -n "$half" ] || die "nothing was half done"
if chattr +i "$half" 2>/dev/null; then
	now=$(picture)
	want 3 fix --resume $how
	says "cannot go on where run $(newest) was cut short" "$half" 'protected by chattr' "bindright undo $(newest)"
	[ "$(picture)" = "$now" ] || die "something was changed"
	want 0 "$BINDRIGHT" history
	says 'unfinished'
	want 3 fix $how
	says "run $(newest) was cut short"
	chattr -i "$half"
fi
# Below a mount it is still there, and would be taken for what was there before as soon as that is gone.
mount -t tmpfs none data/d
want 3 fix --resume $how
says "cannot go on where run $(newest) was cut short" 'a mount point is in the way now'
umount data/d
want 0 "$BINDRIGHT" history
says 'unfinished'
# A place of it is not there: what was left half done in it would be forgotten.
mkdir other && mount --bind data other && umount other
mv data gone && mkdir data && chown 7001:7001 data
want 3 fix $how --resume --yes -f <(sed 's|"./data:/data", ||' compose.yaml) --project-directory .
says 'cannot go on' 'another one has its name now'
rmdir data && mv gone data && rmdir other
want 0 undo
kept
forget
# In order, however many there are; and an undo of one of them that is cut short is in the way again.
want 0 $fixes
first=$(newest)
sed -i 's/1001:1001/1002:1002/' compose.yaml
cut fchownat:5+ $fixes --from 1001
second=$(newest)
want 0 fix $how --from 1001 --resume
third=$(newest)
[ "$first" != "$second" ] && [ "$second" != "$third" ] || die "$(runs)"
want 0 undo $third
want 3 undo $first
says "run $second came later"
cut fchownat:3+ "$BINDRIGHT" undo --yes $second
want 3 fix $how --from 1001
says "run $second was cut short"
want 0 undo $second
want 0 undo $first
kept
forget
sed -i 's/1002:1002/1001:1001/' compose.yaml
# Undone by somebody else between the plan and the first change: that plan is not applied.
late=
for n in 3 4 5 6; do
	cut fchownat:5+ $fixes
	first=$(newest)
	out=0
	"$BR_BUILD/tests/hostile/meddle" flock:$n "$BINDRIGHT undo --yes $first >$T/inner 2>&1 || true" $fixes --resume >$T/out 2>&1 </dev/null || out=$?
	case $out in 0 | 3) ;; *) die "exit status $out" ;; esac
	case $(words) in *"run $first was undone while this was planned"*) late=1 && kept ;; esac
	undone "before lock $n"
done
[ -n "$late" ] || die "it was never late"
# On another machine it is as if it had not been said.
cut fchownat:3+ $fixes
first=$(newest)
echo 00112233445566778899aabbccddeeff >$T/machine
mount --bind $T/machine /etc/machine-id
want 0 fix $how --resume
says "run $first was cut short on another machine"
want 0 undo "$(newest)"
umount /etc/machine-id
want 0 undo $first
kept
# Elsewhere, too.
cut fchownat:3+ $fixes
first=$(newest)
mkdir $T/elsewhere && chown 7001:7001 $T/elsewhere
printf 'services:\n  app: {image: i, user: "1001:1001", volumes: ["%s/elsewhere:/data"]}\n' $T >elsewhere.yaml
want 0 fix --resume -f elsewhere.yaml --strategy chown
says "run $first was cut short in" "bindright undo $first"
belong 1001 $T/elsewhere
want 0 "$BINDRIGHT" history
says 'unfinished'
# A saved plan is not what goes on.
"$BINDRIGHT" plan --sysroot $T --format json -o plan.json >/dev/null 2>&1 || true
want 2 "$BINDRIGHT" fix --plan plan.json --resume --yes
# reclaim goes on as well, back where it came from.
printf 'bob:x:7001:7001::/home/bob:/bin/sh\n' >>$T/etc/passwd
want 3 "$BINDRIGHT" reclaim --yes --sysroot $T --keep bob
says "run $first was cut short" '--resume'
want any "$BINDRIGHT" reclaim --yes --sysroot $T --keep bob --resume
says "run $first was cut short: this goes on from there" "then bindright undo $first"
belong 7001 data data/a data/c data/d data/d/57 data/d/f
