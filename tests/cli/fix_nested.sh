#!/usr/bin/env bash
# One mount inside another's source: a fix can be repeated although the outer container may write there now.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir -p m/sub && chown 7001:7001 m m/sub
printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./m:/m"]\n  b:\n    image: x\n    user: "1002:1002"\n    volumes: ["./m/sub:/s"]\n' >compose.yaml
golden 0 bindright fix --sysroot "$T" --yes -q
touch m/sub/new
# Alone it is refused: from outside who writes there could put anything in its place.
golden 3 bindright fix --sysroot "$T" --yes -qq b
golden 0 bindright fix --sysroot "$T" --yes -q
golden 0 getfacl -n m m/sub m/sub/new

# Neither is it where the way into the outer mount leads over a link of the owner's; but where a link of the container's lies on it, it may lead anywhere.
mkdir -p r/1/sub r/1/other && ln -s r/1 cur && chown -R 7001:7001 r && chown -h 7001:7001 cur
printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./cur:/m"]\n  b:\n    image: x\n    user: "1002:1002"\n    volumes: ["./cur/sub:/s"]\n' >compose.yaml
golden 0 bindright fix --sysroot "$T" --yes -qq
touch r/1/sub/new
golden 0 bindright fix --sysroot "$T" --yes -qq
getfacl -n r/1/sub/new | grep -q user:1002:rw- || die "it was not served"
mv r/1/sub r/1/was
setpriv --reuid 1001 --regid 1001 --clear-groups ln -s other r/1/sub || die "a cannot write"
golden 3 bindright fix --sysroot "$T" --yes -qq

# An engine's state is refused where it is not there yet, too.
compose 'volumes: ["/var/lib/kubelet/of/this/test:/m"]'
mount -t tmpfs none /var/lib && mkdir /var/lib/bindright
golden 3 bindright fix --sysroot "$T" --yes -q
[ ! -e /var/lib/kubelet/of ] || die "it was made"

# What the container sees in another mount's place is no matter of this one: what is read-only there stays so, what a volume hides stays untouched.
mkdir -p n/a/x n/v n/w && touch n/f n/a/f n/v/f n/w/f && chown -R 7001:7001 n && chmod -R u=rwX,go=rX n
compose 'volumes: ["./n:/n", "./n/a:/n/a:ro", "/n/v", "./n/w:/elsewhere:ro"]'
golden 0 bindright fix --sysroot "$T" --yes -q
golden 0 getfacl -n n n/f n/a n/a/f n/a/x n/v n/v/f n/w n/w/f

# A container of the same user that mounts something else, with a group that lets it in here: an entry for the user takes nothing from it.
mkdir g h && touch g/f && chown 7001:7003 g g/f && chmod 660 g/f
printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./g:/g:ro"]\n  b:\n    image: x\n    user: "1001:1001"\n    group_add: ["7003"]\n    volumes: ["./h:/h:ro"]\n' >compose.yaml
golden 0 bindright fix --sysroot "$T" --yes -q
golden 0 getfacl -n g/f
setpriv --reuid 1001 --regid 1001 --groups 7003 test -w g/f || die "it was taken from the other container"

# Files with three names, of which only one is under a demand that they do not serve, whichever the walk comes to last: all their names' demands count together. Where links are
# not protected, whoever can write one directory could have put a name there: left alone, and listed.
mkdir -p k/{1,2,3} && touch k/1/{1,2,3} && ln k/1/* k/2 && ln k/1/* k/3 && chown -R 7001:7001 k && chmod 600 k/1/*
printf 'services:\n  all:\n    image: x\n    user: "7001:7001"\n    volumes: ["./k:/m:ro"]\n' >compose.yaml
for n in 1 2 3; do
	printf '  s%s:\n    image: x\n    user: "100%s:100%s"\n    volumes: ["./k/%s:/m:ro"]\n' $n $n $n $n >>compose.yaml
	for file in 1 2 3; do
		[ $file = $n ] || setfacl -m u:100$n:r k/1/$file
	done
done
touch k/1/w && ln k/1/w k/2/w && chown 7001:7001 k/1/w && chmod 600 k/1/w && sed -i 's|k/2:/m:ro|k/2:/m|' compose.yaml && chmod 777 k/2
echo 0 >"$T/one"
bindright plan --sysroot "$T" >out || true
grep -A3 'left alone *4 below' out || die "$(cat out)"
echo 1 >"$T/one"
bindright plan --sysroot "$T" --format json -o saved || true
snapshot() { stat -c '%n %a %u %g' k/*/* && getfacl -nR k; }
snapshot >before
golden 0 bindright fix --sysroot "$T" --yes -qq
golden 0 getfacl -En k/3/1 k/3/2 k/3/3 k/1/w
golden 0 bindright undo -q --yes
snapshot | diff before - || die "not put back"
golden 0 bindright fix --plan saved --yes -qq
golden 0 bindright plan --sysroot "$T" -qq
golden 0 bindright undo -q --yes
# The saved plan knows which file it is.
mv k/1/w k/1/old && cp -p k/1/old k/1/w && ln -f k/1/w k/2/w && rm k/1/old
golden 2 bindright fix --plan saved --yes -qq
done_golden
