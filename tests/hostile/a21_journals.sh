#!/usr/bin/env bash
# A21: a journal that somebody else could have written is not used, and none is written where others write.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f g
keep data
want 0 fix -q --strategy chown
id=$(ls $T/state/runs)
belong 1001 data/f
refused() {
	"$BINDRIGHT" undo --yes "$@" >$T/out 2>&1 </dev/null && die "used it: $*"
	belong 1001 data/f
}
journal=$T/state/runs/$id/journal
# Open to others, of others, with several names, a link, an ACL.
chmod 660 $journal && refused && chmod 600 $journal
chown 7001 $journal && refused && chown 0 $journal
ln $journal again && refused && rm again
mv $journal aside && ln -s $T/work/aside $journal && refused && rm $journal && mv aside $journal
setfacl -m u:7001:r $journal && refused && setfacl -b $journal && chmod 600 $journal
chmod 770 $T/state/runs && refused && chmod 700 $T/state/runs
chown 7001 $T/state/runs/$id && refused && chown 0 $T/state/runs/$id
chmod 777 $T/state && refused && chmod 700 $T/state
setfacl -m u:7001:rwx $T/state && refused && setfacl -b $T/state
# Written over, cut in the middle, another one's records.
cp $journal whole
python3 - $journal <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) * 2 // 3] ^= 1
open(sys.argv[1], "wb").write(data)
END
want 0 "$BINDRIGHT" history
says "$id" 'damaged'
refused
says 'damaged'
cat whole >$journal
# A copy under another ID is no run: what it did is put back as that run, and not twice.
for named in 20200101T000000Z-00000000 20990101T000000Z-00000000; do
	cp -r $T/state/runs/$id $T/state/runs/$named
	want 0 "$BINDRIGHT" history
	says "it is a copy of another run's"
	refused $named
	says "it is a copy of another run's" "bindright history --prune $named"
	rm -r $T/state/runs/$named
done
# By ID only, never by a path.
want 3 undo $journal
want 3 undo ../runs/$id
want 3 undo "$id/../$id"
# Nothing is changed where no journal can be kept.
chmod 777 $T/state
meanwhile=$(stat -c %Z data/f)
sed -i s/1001:1001/1002:1002/ compose.yaml
want 3 fix --strategy acl --from 1001
[ "$(stat -c %Z data/f)" = "$meanwhile" ] || die "changed without a journal"
chmod 700 $T/state
want 0 undo
kept
# One at a time in one place; what is inside and around it is the same place.
compose 'volumes: ["./data:/data"]'
mkdir -p data/sub && chown -R 7001:7001 data
printf 'services:\n  app:\n    image: example\n    user: "1002:1002"\n    volumes: ["./data/sub:/data"]\n' >inner.yaml
meddled fdatasync:2+ "! $BINDRIGHT fix --yes --sysroot $T -f inner.yaml >$T/inner 2>&1" 0 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
grep -q 'another fix or undo is running in' $T/inner || die "$(cat $T/inner)"
want 0 undo
# By another path it is the same place: the inner tree, bound elsewhere; and the tree that it lies in.
mkdir alias && mount --bind data/sub alias
mkdir above && mount --bind $T/work above
for other in ./alias ./above/data/sub ./above/data; do
	sed "s|\./data/sub|$other|" inner.yaml >other.yaml
	meddled fdatasync:2+ "! $BINDRIGHT fix --yes --sysroot $T -f other.yaml >$T/inner 2>&1" 0 "$BINDRIGHT" fix -q --yes --sysroot $T --strategy chown
	grep -q 'another fix or undo is running in' $T/inner || die "in $other: $(cat $T/inner)"
	want 0 undo
done
# And what was done later there is undone first.
want 0 fix -q --strategy chown
first=$(basename "$(printf "%s\n" $T/state/runs/* | tail -n 1)")
sed "s|\./data/sub|./alias|" inner.yaml >other.yaml
want 0 fix -q -f other.yaml --from 1001
want 3 undo "$first"
says 'came later and changed the same places'
want 0 undo
want 0 undo
belong 7001 data data/sub data/f
umount alias above
