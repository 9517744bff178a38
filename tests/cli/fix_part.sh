#!/usr/bin/env bash
# What was not looked at (--depth, --exclude) is not changed, and no command that is shown would change it.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

compose 'volumes: ["./data:/data"]'
mkdir -p data/sub/deep && echo x >data/f && echo y >data/sub/g && chmod -R go+rX data
find data -printf '%p %u:%g %m\n' | sort >before

for part in '--depth 1' '--exclude sub/*'; do
	read -r option value <<<"$part"
	bindright plan --sysroot "$T" "$option" "$value" >shown 2>&1 && die "nothing to be done"
	grep -q ' (3)$' shown || die "not three changes with $option: $(cat shown)"
	! grep -q 'chown -R' shown || die "a command would change what $option leaves out"
	# The very states that are changed above lie below, too.
	bindright fix --sysroot "$T" "$option" "$value" --yes >shown 2>&1 || die "$(cat shown)"
	grep -q '^Changed 3 of 3\.$' shown || die "not as planned with $option: $(cat shown)"
	[ "$(find data -user 1001 | sort | xargs)" = "data data/f data/sub" ] || die "$option: other files were changed"
	bindright undo --yes >shown
	find data -printf '%p %u:%g %m\n' | sort | cmp - before || die "undo did not bring everything back"
done

# The root alone.
bindright fix --sysroot "$T" --depth 0 --yes >shown 2>&1 || die "$(cat shown)"
[ "$(find data -user 1001)" = data ] || die "other files were changed"
