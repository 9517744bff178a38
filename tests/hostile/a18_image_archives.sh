#!/usr/bin/env bash
# A18: an image is read, never unpacked, and its names lead nowhere.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
sed -i '/user:/d' compose.yaml
mkdir data
printf 'victim\n' >victim
keep victim
# image USER PATH...: an archive whose layer has what the Python lines add.
image_of() {
	python3 - "$1" "$2" <<'END'
import hashlib
import io
import json
import sys
import tarfile

layer = io.BytesIO()
tar = tarfile.open(fileobj=layer, mode="w")


def add(name, data=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    tar.addfile(info, io.BytesIO(data))


exec(sys.argv[2])
tar.close()
config = json.dumps({"config": {"User": sys.argv[1]}, "architecture": "amd64", "os": "linux",
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]}}).encode()
manifest = json.dumps([{"Config": "config.json", "RepoTags": ["example:latest"], "Layers": ["layer.tar"]}]).encode()
with tarfile.open("image.tar", "w") as out:
    for name, data in ("manifest.json", manifest), ("config.json", config), ("layer.tar", layer.getvalue()):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        out.addfile(info, io.BytesIO(data))
END
}
inspect() {
	"$BINDRIGHT" inspect --sysroot $T --image-archive image.tar >$T/out 2>&1 </dev/null || true
	kept
	[ ! -e ../victim ] && [ ! -e /tmp/bindright-victim ] || die "something was unpacked"
}
image_of app 'add("etc/passwd", b"app:x:1234:1235::/:/bin/sh\n")' && inspect
says 1234
# Outside of the image.
image_of app 'add("../victim", b"x"); add("/tmp/bindright-victim", b"x"); add("a/../../etc/passwd", b"app:x:7:7::/:/bin/sh\n"); add("etc/passwd", b"app:x:1234:1235::/:/bin/sh\n")' && inspect
says 1234
# A link to the host's own accounts is one within the image.
image_of root2 'add("etc/passwd", kind=tarfile.SYMTYPE, link="/../../../../../../etc/passwd")' && inspect
silent 'root2 (uid'
image_of app 'add("etc/passwd", kind=tarfile.SYMTYPE, link="passwd")' && inspect
image_of app 'add("etc", kind=tarfile.SYMTYPE, link="/victim"); add("etc/passwd", b"app:x:1234:1235::/:/bin/sh\n")' && inspect
# A line that engines read as 0 is not taken for a user of 1234.
image_of app 'add("etc/passwd", b"app:x:abc:1::/:/bin/sh\n")' && inspect
silent 'uid 1234'
# Cut off, and no archive at all.
head -c 3000 image.tar >short && mv short image.tar && inspect
head -c 100000 /dev/urandom >image.tar && inspect
mkfifo pipe && rm image.tar && ln -s pipe image.tar
timeout 20 "$BINDRIGHT" inspect --image-archive image.tar >$T/out 2>&1 </dev/null || [ $? != 124 ] || die "hangs on a FIFO"
# The number that is no ID, in the image's own files: as a user, as a group, as one of many.
rm image.tar
last=4294967295
for files in "app:x:$last:5::/:|g:x:5:" "app:x:5:$last::/:|g:x:5:" "app:x:5:5::/:|g:x:$last:app" "app:x:$last:$last::/:|g:x:$last:app"; do
	image_of app "add('etc/passwd', b'${files%|*}\\n'); add('etc/group', b'${files#*|}\\n')"
	for command in check plan 'plan --strategy acl'; do
		want 1 "$BINDRIGHT" $command --sysroot $T --image-archive image.tar
		says "$last is above 2147483647: the engine will refuse to start it"
	done
done
