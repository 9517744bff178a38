#!/usr/bin/env bash
# Whose user is not known, or who begins as root, may be root without its override: nothing is taken from root then, by no name that it has.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

# two SOURCE LINE...: a service of 1001 with ./data, and one whose image decides.
two() {
	local source=$1 line
	shift
	printf 'services:\n  a:\n    image: x\n    user: "1001:1001"\n    volumes: ["./data:/d"]\n' >compose.yaml
	printf '  b:\n    image: y\n    volumes: ["%s:/d"]\n' "$source" >>compose.yaml
	for line; do printf '    %s\n' "$line" >>compose.yaml; done
}
anew() {
	rm -rf data && mkdir -p data/sub && echo x >data/f && echo y >data/sub/g && chmod -R go+rX data
}
fits() {
	bindright check --sysroot "$T" --user b=0:0 b >shown 2>&1 || die "$1: $(cat compose.yaml shown)"
}

mkdir alias
for source in ./data ./data/sub ./data/f ./alias; do
	for strategy in auto chown; do
		anew
		mount --bind data alias
		two "$source" 'cap_drop: [ALL]'
		fits "before"
		# That b is not known is an error in itself.
		bindright fix --sysroot "$T" --strategy $strategy --yes >shown 2>&1 && die "nothing is wrong: $(cat shown)"
		bindright check --sysroot "$T" a >shown 2>&1 || die "a is not served: $(cat compose.yaml shown)"
		fits "taken from root, $source, $strategy"
		umount alias
	done
done

anew
mkdir other etc && printf 'alice:x:7001:7001::/:/bin/sh\n' >etc/passwd
two ./data 'cap_drop: [DAC_OVERRIDE]'
bindright reclaim --sysroot "$T/work" --keep alice --yes >shown 2>&1 && die "nothing is wrong: $(cat shown)"
fits "taken from root by reclaim"
[ "$(stat -c %u data/f)" = 7001 ] || die "nothing was given back: $(cat shown)"

# With its override, or elsewhere, it can have no part in it.
for line in 'cap_drop: [NET_RAW]' 'cap_drop: [ALL]'; do
	anew
	two ./data "$line"
	[ "$line" = 'cap_drop: [NET_RAW]' ] || two ./other "$line"
	bindright fix --sysroot "$T" --yes >shown 2>&1 && die "nothing is wrong: $(cat shown)"
	[ "$(stat -c %u data data/f | xargs)" = '1001 1001' ] || die "an owner was enough: $(cat compose.yaml shown)"
done

# One that drops root begins as it.
anew
chmod -R o= data
printf 'services:\n  db:\n    image: postgres:16\n    cap_drop: [DAC_OVERRIDE]\n    volumes: ["./data:/backup"]\n' >compose.yaml
fits_root() {
	bindright check --sysroot "$T" --user db=0:0 >shown 2>&1 || die "$1: $(cat shown)"
}
fits_root "before"
bindright fix --sysroot "$T" --yes >shown 2>&1 || die "whom it drops to is not served: $(cat shown)"
fits_root "taken from the process that drops"
