#!/usr/bin/env bash
# Would the tests see it? Each line below breaks one line of access.c, idmap.c or inode/; a table or the kernel has to
# notice.
# time limit: 1200
set -u

top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BR_BUILD:-$top/.build/plain}
work=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX") || exit 3
libraries=$(pkg-config --libs libfyaml libacl libcap jansson mount libseccomp libarchive libcurl) || exit 77
read -r -a wrap < <(make -s --no-print-directory -C "$top" wrap-flags) || exit 3
export BR_ORACLE_COUNT=${BR_ORACLE_COUNT:-120000}
# Two levels in turn: what each refuses is seen.
level=$(cat /proc/sys/fs/protected_regular)
trap 'rm -rf "$work"; echo "$level" >/proc/sys/fs/protected_regular' EXIT

# FILE SED-COMMAND; a line that changes not exactly one line is an error here.
mutants() {
	cat <<'END'
access s/return is_valid\(uid\) && /return /
access s/return is_valid\(gid\) && /return /
access s/is_valid\(v->uid\) && is_valid\(v->gid\)/is_valid(v->uid)/
access s/is_valid\(v->uid\) && is_valid\(v->gid\)/is_valid(v->gid)/
access s/\.uid = seen_as.*/.uid = inode->uid,/
access s/\.gid = seen_as.*/.gid = inode->gid,/
access s/&v->cred->uids, v->uid/\&v->cred->gids, v->uid/
access s/&& br_idmap_to_box\(&v->cred->uids, v->uid, &ignored\)//
access s/&& br_idmap_to_box\(&v->cred->gids, v->gid, &ignored\)/\&\& (ignored.v || 1)/
access s/return \(perm & want\) == want/return (perm \& want) != 0/
access s/f\.granted && mask && !holds\(mask->perm, want\)/false/
access s/f\.granted && mask && /mask \&\& /
access s/!holds\(mask->perm, want\)/!(mask->perm \& want)/
access s/f\.masked = true/f.masked = false/
access s/f\.granted = false/f.granted = true/
access s/return in_group\(v, v->gid\);/return v->gid.v == v->cred->gid.v;/
access s/in_group\(v, seen_as\(&v->where->mount_gids, e->id\)\)/in_group(v, e->id)/
access s/e->tag == BR_ACL_GROUP /e->tag == BR_ACL_USER /
access s/\*rule = BR_RULE_ACL_GROUP/*rule = BR_RULE_GROUP/
access s/if \(holds\(e->perm, want\)\)/if (e->perm \& want)/
access s/return matches != 0/return false/
access s/matches\+\+ == 0/matches++ != 0/
access s/if \(e->tag == BR_ACL_USER/if (e->tag == BR_ACL_GROUP/
access s/is_user\(v, seen_as\(&v->where->mount_uids, e->id\)\)/is_user(v, e->id)/
access s/return limited\(acl, e, BR_RULE_ACL_USER, want\)/return (struct found){.base = BR_RULE_ACL_USER, .entry = e, .granted = holds(e->perm, want)}/
access s/if \(check_groups\(v, acl, want, &f\)\)/if (check_groups(v, acl, want, \&f) \&\& f.granted)/
access s/other && holds\(other->perm, want\)/other \&\& holds(other->perm \& (v->inode->mode >> 3), want)/
access s/if \(is_user\(v, v->uid\)\)/if (is_user(v, v->uid) \&\& !v->inode->acl)/
access s/holds\(mode >> 6, want\)/holds(mode >> 6 | mode, want)/
access s/ && \(mode & S_IRWXG\)/ \&\& (mode \& (S_IRWXG | S_IRWXO))/
access s/ && \(mode & S_IRWXG\)//
access s/if \(in_group\(v, v->gid\)\)/if (in_group(v, v->gid) \&\& holds(mode >> 3, want))/
access s/holds\(mode >> 3, want\)/holds(mode >> 3 \& mode, want)/
access s/holds\(mode, want\)/holds(mode | mode >> 3, want)/
access s/is_dir \? !\(want & BR_W\) : want == BR_R/!(want \& BR_W)/
access s/is_dir \? !\(want & BR_W\) : want == BR_R/want == BR_R/
access s/: want == BR_R;/: !(want \& BR_W) || want == BR_X;/
access s/reads && capable\(v, CAP_DAC_READ_SEARCH\)/capable(v, CAP_DAC_READ_SEARCH)/
access s/capable\(v, CAP_DAC_READ_SEARCH\)/(v->cred->caps \& CAP_BIT(CAP_DAC_READ_SEARCH))/
access s/capable\(v, CAP_DAC_OVERRIDE\)/(v->cred->caps \& CAP_BIT(CAP_DAC_OVERRIDE))/
access s/S_IXUSR \| S_IXGRP \| S_IXOTH/S_IXUSR/
access s/S_IXUSR \| S_IXGRP \| S_IXOTH/S_IXUSR | S_IXGRP/
access s/S_IXUSR \| S_IXGRP \| S_IXOTH/S_IXGRP | S_IXOTH/
access s/is_dir \|\| !\(want & BR_X\)/!(want \& BR_X)/
access s/is_dir \|\| !\(want & BR_X\)/is_dir || want != BR_X/
access s/overridable && capable/capable/
access s/if \(!\(want & BR_W\)\)/if (want != BR_W)/
access s/ && \(S_ISREG\(v->inode->mode\) \|\| S_ISDIR\(v->inode->mode\)\)//
access s/S_ISREG\(v->inode->mode\) \|\| S_ISDIR\(v->inode->mode\)/S_ISREG(v->inode->mode)/
access s/if \(v->inode->attrs & BR_IMMUTABLE\)/if (v->inode->attrs \& BR_APPEND)/
access s/if \(!is_mapped\(v\)\)/if (false)/
access s/!barred\(v, want, rule\) && //
access s/\(granted \|\| overridden\(v, want, rule\)\)/granted/
access /unsigned one_by_one/,/^}/s/bit <= BR_R/bit < BR_R/
access /unsigned answer/,/^}/s/bit <= BR_R/bit < BR_R/
access s/if \(\(want & bit\) && /if (/
access s/return want & ~have \? want & ~have : want/return want \& ~have/
access s/return want & ~have \? want & ~have : want/return want/
access s/granted && \(want & BR_W\) && \(v->inode->attrs/granted \&\& (v->inode->attrs/
access s/\.masked = !granted && rule == f\.base && f\.masked/.masked = f.masked/
access s/\.masked = !granted && rule == f\.base && /.masked = !granted \&\& /
access s/S_ISLNK\(inode->mode\) \? anything/false ? anything/
access s/S_ISLNK\(inode->mode\) \|\| mask == 0/mask == 0/
access s/mask == 0 \|\| is_user\(&v, v\.uid\)/mask == 0/
access s/S_ISLNK\(inode->mode\) \|\| mask == 0/S_ISLNK(inode->mode)/
access s/in_group\(&v, v\.gid\) \? mask : inode->mode & 7/inode->mode \& 7/
access s/part <= mask; part\+\+/part < mask; part++/
access s/\(part & ~mask\) == 0 && //
access s/unsigned part = 0/unsigned part = 1/
access s/\(dir->inode->mode & S_ISVTX\)/(victim->inode->mode \& S_ISVTX)/
access s/ && !is_user\(victim, victim->uid\)//
access s/!is_user\(dir, dir->uid\) && //
access s/ && !capable\(victim, CAP_FOWNER\)//
access s/!capable\(victim, CAP_FOWNER\)/!capable(dir, CAP_FOWNER)/
access s/!capable\(victim, CAP_FOWNER\)/!capable(victim, CAP_DAC_OVERRIDE)/
access /^bool br_access_delete/,/^}/s/judge\(&d, BR_W \| BR_X\)/judge(\&d, BR_W)/
access /^bool br_access_delete/,/^}/s/judge\(&d, BR_W \| BR_X\)/judge(\&d, BR_X)/
access /^bool br_access_create/,/^}/s/judge\(&d, BR_W \| BR_X\)/judge(\&d, BR_W)/
access /^bool br_access_create/,/^}/s/judge\(&d, BR_W \| BR_X\)/judge(\&d, BR_X)/
access s/return br_idmap_to_box\(&where->mount_uids, cred->uid, &ignored\)/return (ignored.v = 0) == 0/
access s/&& br_idmap_to_box\(&where->mount_gids, cred->gid, &ignored\)//
access s/&where->mount_gids, cred->gid, &ignored/\&where->mount_uids, cred->gid, \&ignored/
access s/\|\| \(level >= 2 && dir->mode & S_IWGRP\)/|| (dir->mode \& S_IWGRP)/
access s/\|\| \(level >= 2 && dir->mode & S_IWGRP\)//
access s/dir->mode & S_IWOTH \|\| //
access s/return level > 0 && \(dir->mode & S_ISVTX\)/return (dir->mode \& S_ISVTX)/
access s/return level > 0 && \(dir->mode & S_ISVTX\)/return level > 0/
access s/is_valid\(f\.uid\) && f\.uid\.v == d\.uid\.v/false/
access s/&& shared && S_ISREG/\&\& S_ISREG/
access s/&& !same_owner$//
access s/&& !is_user\(&f, f\.uid\)//
access s/\|\| \(dir->attrs & BR_APPEND\)//
access s/if \(!is_mapped\(&v\) \|\| /if (/
access s/BR_APPEND \| BR_IMMUTABLE/BR_APPEND/
access s/BR_APPEND \| BR_IMMUTABLE/BR_IMMUTABLE/
idmap s/id >= first && id - first < count/id >= first \&\& id - first <= count/
idmap s/id >= first && id - first < count/id > first \&\& id - first < count/
idmap s/e->host \+ \(in\.v - e->box\)/e->host + in.v/
idmap s/e->box \+ \(in\.v - e->host\)/e->box + in.v/
idmap s/holds\(e->box, e->count, in\.v\)/holds(e->host, e->count, in.v)/
idmap s/holds\(e->host, e->count, in\.v\)/holds(e->box, e->count, in.v)/
idmap s/EXTENTS_MAX = 340/EXTENTS_MAX = 341/
idmap s/i >= EXTENTS_MAX/i > EXTENTS_MAX/
idmap s/count != 0 && //
idmap s/count <= BR_NO_ID - first/count < BR_NO_ID - first/
idmap s/b - a < an : a - b < bn/b - a <= an : a - b < bn/
idmap s/b - a < an : a - b < bn/b - a < an : a - b <= bn/
idmap s/b - a < an : a - b < bn/b - a < an : false/
idmap s/j < i; j\+\+/j + 1 < i; j++/
inode/write s/\? common & S_IRWXU :/? common :/
inode/write s/set_acl\(p, NULL, common & S_IRWXU\)/set_acl(p, NULL, common)/
inode/write s/rwx & p->after->mode/rwx/
inode/write s/\(old \| new\) & S_ISVTX/(old \& new) \& S_ISVTX/
inode/write s/ & old & new;/ \& old;/
inode/write s/if \(chowns && !S_ISDIR\(old\)\)/if (false)/
inode/write s/if \(chowns \|\| new_acl\)/if (chowns)/
inode/write s/if \(chowns \|\| new_acl\)/if (new_acl)/
inode/write s/if \(chowns && new_acl && p->before->acl\)/if (false)/
inode/write s/\(chowns \|\| \(new_bits && !kept\)\)/(new_bits \&\& !kept)/
inode/write s/\(chowns \|\| \(new_bits && !kept\)\)/chowns/
inode/write s/mode >> 3 & 7, none/mode \& 7, none/
inode/write s/return to->acl \? write_acl/return now->acl \? write_acl/
inode/write s/same_type && agrees\(after\)/same_type/
inode/write s/\(acl_known \|\| /(true || /
inode/write s/\(now\.mode & SPECIAL\) != \(after->mode & SPECIAL\)/false/
inode/read s/acl && acl->n > 3 \? acl : NULL/acl/
inode/read s/errno == ENODATA \|\| errno == EOPNOTSUPP/errno == ENODATA/
inode/read s/a->btime\.sec == b->btime\.sec/true/
inode/acl s/late = seen >= 2U \* e->tag/late = false/
inode/acl s/repeats = \(seen & e->tag\) && /repeats = false \&\& /
inode/acl s/e->perm & ~7U/e->perm \& ~15U/
inode/acl s/needed \|= BR_ACL_MASK/needed |= 0/
END
}

base_link() {
	local test=$1 object=$2
	# shellcheck disable=SC2086 # the libraries are words
	cc "${wrap[@]}" "$build/tests/$test.o" "$object" "$build"/tests/support/*.o "$build/libbindright.a" \
		$libraries -lcmocka -o "$work/$test" 2>"$work/log"
}

tests_of() {
	case $1 in
	access) echo test_access test_oracle ;;
	idmap) echo test_idmap test_access test_oracle ;;
	*) echo test_inode ;;
	esac
}

# The kernel's test once for each level of fs.protected_regular.
attempt() {
	local levels='' at
	[ "$1" != test_oracle ] || levels='0 1 2'
	for at in ${levels:-any}; do
		BR_PROTECTED_REGULAR=${at#any} timeout 60 "$work/$1" >"$work/out" 2>&1 || return 1
	done
}

# Which test notices this broken object first; nothing where none does.
noticed_by() {
	local module=$1 object=$2 test
	for test in $(tests_of "$module"); do
		base_link "$test" "$object" || { cat "$work/log" >&2; exit 3; }
		attempt "$test" || { echo "$test"; return; }
	done
}

# The same, of what only the kernel is asked about.
kernel_notices() {
	base_link test_oracle "$1" && ! attempt test_oracle
}

compile() {
	cc -std=gnu17 -D_GNU_SOURCE -I"$top/include" -I"$top/src" -I"$top/src/inode" -O1 -c "$1" -o "$2" 2>"$work/log"
}

total=0 missed=0 kernel=0
compile "$top/src/access.c" "$work/whole.o" || exit 3
if [ -n "$(noticed_by idmap "$work/whole.o")" ]; then
	echo "the tests fail without any mutation:" >&2
	cat "$work/out" >&2
	exit 1
fi
while read -r module command; do
	mutant=$work/${module#*/}
	sed -E "$command" "$top/src/$module.c" >"$mutant.c"
	total=$((total + 1))
	if [ "$(diff "$top/src/$module.c" "$mutant.c" | grep -c '^>')" != 1 ]; then
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
	elif [[ $module != inode/* ]] && kernel_notices "$mutant.o"; then
		kernel=$((kernel + 1))
	fi
done < <(mutants)
echo "$total mutations, $((total - missed)) noticed ($kernel of them by the kernel alone too)"
[ "$missed" = 0 ]
