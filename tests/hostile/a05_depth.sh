#!/usr/bin/env bash
# A5: whoever makes directories in directories without end gets neither root's memory nor its disk, nor stops the rest.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mount -t tmpfs -o mode=755 tmpfs $T/work
cd $T/work
tree 7001 a z/f
python3 - <<'END'
import os
os.chdir("data")
for i in range(6000):
    os.mkdir("n" * 255)
    os.chown("n" * 255, 7001, 7001)
    os.chdir("n" * 255)
END
# measured STATUS COMMAND...: with no more memory than this (kB).
measured() {
	local status=$1
	shift
	want "$status" python3 -c 'import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:])
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sys.exit(ended.returncode if most < 200000 else "%d kB" % most)' "$@"
}
measured 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'its path is too long' 'bindright undo'
belong 1001 data data/a data/z/f
[ "$(du -sk $T/state | cut -f1)" -lt 20000 ] || die "a journal of $(du -sk $T/state)"
measured 0 "$BINDRIGHT" undo --yes
belong 7001 data data/a data/z/f
# Deeper than any tree is not looked at, which is said.
rm -r data
tree 7001 a z/f
python3 - <<'END'
import os
os.chdir("data")
for i in range(17000):
    os.mkdir("n")
    os.chown("n", 7001, 7001)
    os.chdir("n")
END
measured 1 "$BINDRIGHT" check --sysroot $T
says 'could not be examined: it is deeper than any tree'
