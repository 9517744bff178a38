#!/usr/bin/env bash
# What runc and crun let the process of a bundle do is what bindright says that it can.
# time limit: 300
# shellcheck source=tests/e2e/lib.sh
E2E_ENGINE=none . "$BR_TOP/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/lib/podman.sh
. "$BR_TOP/tests/e2e/lib/podman.sh"

root=$engine/rootfs
mkdir -p "$root/data" "$root/dev" "$root/proc"
chmod 755 "$engine" "$root" "$work"
python3 "$BR_TOP/tests/e2e/lib/bundles.py" write "$root" "$work"

run() { # RUNTIME BUNDLE
	case $1 in
	runc) runc --root "$engine/runc" run --bundle "$2" "runc-${2##*/}" ;;
	crun) crun --root "$engine/crun" --cgroup-manager=disabled run --bundle "$2" "crun-${2##*/}" ;;
	esac
}
for bundle in "$work"/c*; do
	for runtime in runc crun; do
		run $runtime "$bundle" </dev/null >"$bundle/$runtime" 2>"$bundle/$runtime.err" || : >"$bundle/$runtime"
	done
done
python3 "$BR_TOP/tests/e2e/lib/bundles.py" compare "$work" || die "the runtimes and bindright disagree"
