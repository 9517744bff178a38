#!/usr/bin/env bash
# Would the tests see it? Each line below breaks one line of the planner; the probes (real processes on real trees, with the
# planner's own proof switched off) or the tests of plans have to notice.
# time limit: 1800
set -u

top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BR_BUILD:-$top/.build/plain}
[ "$(id -u)" = 0 ] || { echo "skip: needs root" && exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX") || exit 3
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
libraries=$(pkg-config --libs libfyaml libacl libcap jansson mount libseccomp libarchive libcurl) || exit 77
read -r -a wrap < <(make -s --no-print-directory -C "$top" wrap-flags) || exit 3
export BR_SEED=${BR_SEED:-7} BR_PROBES=${BR_PROBES:-600000}

# FILE SED-COMMAND; a line that changes not exactly one line is an error here.
mutants() {
	cat <<'END'
draft s/draft->group &= draft->mask;/;/
draft s/draft->v\[i\]\.perm & draft->mask/draft->v[i].perm/
draft s/^.if \(draft->mask == 0\) \{/	if (false) {/
draft s/draft->extended && draft->mask == 0/false/
draft s/bool widens = .*/bool widens = true;/
draft s/bool widens = .*/bool widens = !draft->extended;/
draft s/draft->mask \|= group_class\(draft\)/draft->mask = group_class(draft)/
draft s/draft->mask \|= group_class\(draft\)/draft->mask |= 7/
draft s/\.other = inode->mode & 7,/.other = 7,/
draft s/draft->group = entry\.perm;/draft->group = 7;/
draft s/draft->owner << 6 \| group << 3 \| draft->other/draft->owner << 6 | group << 3 | draft->other | 4/
draft s/named\(draft, BR_ACL_USER, uid\)->perm =/named(draft, BR_ACL_GROUP, uid)->perm =/
draft s/draft\.other &= ~\(unsigned\)BR_W/draft.other |= BR_W/
choose s/if \(uid\.v == owner\.v\) \{/if (false) {/
choose s/c->draft\.owner \|= person->need;/;/
choose s/if \(!person->wanting\) \{/if (person->wanting) {/
choose s/perm \| held\(c->plan, c->tree, &c->inode, uid\)/perm/
choose s/c->draft\.owner \|= held\(c->plan, c->tree, &c->inode, uid\)/c->draft.owner |= 0/
choose s/if \(c->inode\.uid\.v == 0 \|\| has_exactly/if (true || has_exactly/
choose s/draft_name\(&c->draft, c->inode\.uid, bits\);/;/
choose s/return group == perm && \(inode->mode & 7\) == perm;/return group == perm;/
choose s/\(entry->perm & group\) == perm/entry->perm == perm/
choose s/if \(inode->acl != NULL && group != 0\)/if (false)/
choose s/bool same = \(after->mode >> 3 & 7\) == .*/bool same = true || c->inode.acl == NULL/
choose s/if \(same && !hands_down && /if (same \&\& /
choose s/if \(heir == NULL \|\| deletes_as_owner\(c\)\)/if (heir == NULL)/
choose s/return \(sticky \|\| c->in_sticky\)/return sticky/
choose s/return \(sticky \|\| c->in_sticky\)/return c->in_sticky/
choose s/\|\| \(gid\.v != c->inode\.gid\.v && g != o\)/|| false/
choose s/after->mode \|= group << 3;/after->mode |= group << 3 | group;/
choose s/after->mode \|= owner << 6;/;/
choose s/return now\.wanting == 0;/return true;/
choose s/round < 4; round\+\+/round < 1; round++/
choose s/draft_name\(&c->draft, c->inode\.uid, bits \| owner_need\(c\)\);/;/
choose s/out->after\.uid = keeper->cred\.uid;/;/
choose s/if \(had != has && \(had/if (had < has \&\& (had/
choose s/if \(!uid_is_known\(c->plan, c->tree, c->inode\.uid\)\)/if (false)/
choose s/if \(moves_caps\(c, &out->after\)\) \{/if (false) {/
choose s/if \(moves_caps\(c, after\)\) \{/if (false) {/
choose s/if \(!moves_caps\(c, &out->after\)\) \{/if (true) {/
choose s/\(has && !had && \(want & ~need\) != 0\)/(false)/
plan s/class == NULL \|\| is_new\(work, inode\)/class == NULL/
gate s/bool behind = uid == 0 \|\| /bool behind = true || /
gate s/if \(uid == 0 \|\| \(tree->root_seen/if (true || (tree->root_seen/
gate s/demand_counts\(demand\) && demand->identity->cred\.uid\.v == uid/false/
gate s/bool closed = \(facts->mode & 077\) == 0 \|\| /bool closed = /
gate s/if \(!file && !S_ISDIR\(facts->mode\)\)/if (false)/
gate s/\(facts->flags & FACT_PRIVATE_NAME\) != 0/false/
gate s/\(FACT_IMMUTABLE \| FACT_APPEND \| FACT_READ_ONLY\)/FACT_APPEND/
gate s/\(\(facts->mode & 06000\) != 0 \|\| /(/
gate s/\(facts->mode & 02000\) == 0 \|\| is_own_group/true || is_own_group/
people s/at->after == NULL \? need : need \| /at->after != NULL ? need : need | /
people s/bool wanting = br_access_use\(inode, cred, &plain_where, need\)\.missing != 0/bool wanting = br_access_use(inode, cred, \&plain_where, need).missing == 0/
people s/if \(need == 0 \|\|/if (need > 6 ||/
people s/\(at->demands >> demand->index & 1\) != 0/demand != NULL/
people s/if \(!uid_is_known\(plan, tree, uid\)\)/if (false)/
people s/person_add\(plan, out, at->inode, &keeper->cred, need\)/person_add(plan, out, at->inode, \&keeper->cred, need \& 4)/
people s/k - 2 < work->ncreds - first/false/
plan s/return link->found == link->nlink && !link->mixed;/return !link->mixed;/
plan s/return link->found == link->nlink && !link->mixed;/return link->found == link->nlink;/
plan s/!has_all_links\(link\) \|\| //
plan s/link->mixed && class->outcome\.kind == OUTCOME_FITS/false/
plan s/sticky != NULL && sticky->uid != inode->uid\.v/false/
plan s/flags \|= inode->caps != NULL \? FACT_CAPS : 0;/;/
plan s/\.demands = demands_at\(tree, path\),/.demands = UINT64_MAX,/
plan s/if \(work == NULL \|\| work->refused \|\| is_excluded/if (work == NULL || is_excluded/
table s/memcmp\(table_at\(table, table->slots\[i\] - 1\), key, table->key\) != 0/false/
table s/strcmp\(path, tally->examples\[at - 1\]\) < 0/false/
effects s/if \(\(before & ~after\) != 0\)/if (false)/
effects s/after & ~before & ~sets_within\(allowed\)/0/
effects s/bits \|= person->cred->uid\.v == cred->uid\.v \? person->need : 0;/;/
left s/if \(tally->count == 0\)/if (tally->count == 1)/
gate s/\(facts->flags & FACT_OTHER\) != 0/false/
others s/other->ino != entry->inode->ino \|\| other->dev != entry->inode->dev/other->ino != entry->inode->ino/
others s/return FACT_OTHER \| .*/return (unsigned)number << FACT_OTHER_SHIFT;/
others s/if \(br_path_within\(demand->below, other\)/if (false \&\& br_path_within(demand->below, other)/
others s/if \(br_path_within\(demand->below, other\) && /if (/
others s/if \(br_path_within\(path, other->path\)$/if (true/
others s/return i;/return number;/
behind s/found = way != NULL \? way->set : found;/;/
behind s/set->dead = before == NULL \? 0 : before->dead;/set->dead = 0;/
behind s/set->dead \|= shut_out\(tree, &after, facts->demands\);/;/
behind s/bool for_nothing = out->kind == OUTCOME_FITS;/bool for_nothing = true;/
behind s/facts->behind != 0 && !tree->too_many_ways;/facts->behind != 0;/
behind s/outcome\.kind == OUTCOME_CHANGE \? outcome\.after : facts_inode/true ? facts_inode(facts) : facts_inode/
behind s/if \(plan->options->keepers\[i\]\.demanded\)/if (false)/
END
}

compile() {
	cc -std=gnu17 -D_GNU_SOURCE -I"$top/include" -I"$top/src" -I"$top/src/plan" -O1 -c "$1" -o "$2" 2>"$work/log"
}

# A test with broken objects in front of the library.
base_link() {
	local test=$1
	shift
	# shellcheck disable=SC2086 # the libraries are words
	cc "${wrap[@]}" "$build/tests/$test.o" "$@" "$build"/tests/support/*.o "$build/libbindright.a" \
		$libraries -lcmocka -o "$work/$test" 2>"$work/log" || { cat "$work/log" >&2; exit 3; }
}

fails() {
	! timeout 120 "$work/$1" >"$work/out" 2>&1
}

# Whether the proof notices planners that take or give too much.
proof_speaks() {
	local object=$1 word
	for word in lose gain; do
		base_link test_plan_random "$object" "$work/$word.o"
		! BR_ROUNDS=20000 fails test_plan_random || grep -q "would $word access" "$work/out" || return 1
	done
}

# Who notices this broken object first; nothing where nobody does.
noticed_by() {
	local module=$1 object=$2 test blind=$work/blind.o
	[ "$module" != effects ] && [ "$object" != "$blind" ] || blind=
	# shellcheck disable=SC2086 # empty, or one word
	base_link test_plan_probes "$object" $blind
	! fails test_plan_probes || { echo probes; return; }
	[ -n "$blind" ] || proof_speaks "$object" || { echo proof; return; }
	for test in test_plan test_plan_whole test_plan_behind test_plan_advice test_plan_random; do
		base_link "$test" "$object"
		! BR_ROUNDS=20000 fails "$test" || { echo "$test"; return; }
	done
}

# The planner's own proof, switched off.
sed -E 's/^(static int prove\(.*)$/\1 if (p != NULL) { return 0; }/' "$top/src/plan/effects.c" >"$work/blind.c"
[ "$(diff "$top/src/plan/effects.c" "$work/blind.c" | grep -c '^>')" = 1 ] || { echo "prove() is not there" >&2; exit 1; }
compile "$work/blind.c" "$work/blind.o" || { cat "$work/log" >&2; exit 3; }
broken() {
	sed -E "$2" "$top/src/plan/draft.c" >"$work/$1.c"
	! cmp -s "$top/src/plan/draft.c" "$work/$1.c" && compile "$work/$1.c" "$work/$1.o"
}
if ! broken lose 's/draft->group = entry\.perm;/draft->group = 0;/' ||
	! broken gain 's/\.other = inode->mode & 7,/.other = 7,/' || ! compile "$top/src/plan/effects.c" "$work/effects.o"; then
	cat "$work/log" >&2
	exit 3
fi
if ! proof_speaks "$work/effects.o"; then
	echo "the planner's own proof does not speak" >&2
	exit 1
fi
by=$(noticed_by plan "$work/blind.o") || exit 3
if [ -n "$by" ] && [ "$by" = probes ]; then
	echo "the probes fail without any mutation:" >&2
	cat "$work/out" >&2
	exit 1
fi

total=0 missed=0 probes=0
while read -r module command; do
	mutant=$work/$module
	sed -E "$command" "$top/src/plan/$module.c" >"$mutant.c"
	total=$((total + 1))
	if [ "$(diff "$top/src/plan/$module.c" "$mutant.c" | grep -c '^>')" != 1 ]; then
		echo "changes not one line: $module $command" >&2
		exit 1
	fi
	if ! compile "$mutant.c" "$mutant.o"; then
		echo "does not compile: $module $command" >&2
		cat "$work/log" >&2
		exit 1
	fi
	by=$(noticed_by "$module" "$mutant.o") || exit 3
	if [ -z "$by" ]; then
		missed=$((missed + 1))
		echo "missed: $module $command"
	elif [ "$by" = probes ]; then
		probes=$((probes + 1))
	fi
	[ -z "${BR_VERBOSE:-}" ] || echo "${by:-nobody}: $module $command"
done < <(mutants)
echo "$total mutations, $((total - missed)) noticed ($probes of them by the probes)"
[ "$missed" = 0 ] && [ "$probes" -ge 30 ]
