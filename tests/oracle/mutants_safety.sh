#!/usr/bin/env bash
# Would the tests see it if a check against attackers, crashes or wider access were not there? Each line below breaks one line of the
# sources; one of the tests named, of the cases of tests/hostile (aNN, or more of the name), or of tests/cli, has to notice.
# time limit: 7200
set -u

top=${BR_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BR_BUILD:-$top/.build/plain}
work=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
libraries=$(pkg-config --libs libfyaml libacl libcap jansson mount libseccomp libarchive libcurl) || exit 77
read -r -a wrap < <(make -s --no-print-directory -C "$top" wrap-flags) || exit 3
export BR_TOP=$top BR_BUILD=$build

# FILE TESTS SED-COMMAND; a line that changes not exactly one line is an error here.
mutants() {
	cat <<'END'
apply/object test_apply s/if \(!is_same\(way, wish, fd, &now\) \|\| /if (/
apply/object a05_numbers s/\|\| !same_handle\(fd, &now, wish->handle\)\)/)/
apply/object a11 s/if \(!br_inode_equal\(&now, wish->goal\)\) \{/if (false) {/
apply/batch a05_numbers s/\.handle = c->handle,/.handle = {0},/
apply/object test_apply s/if \(!\(is_in\(&now, wish->states, wish->nstates\)/if (false \&\& !(true/
apply/object test_apply s/now\.nlink != wish->expect->nlink\)/false)/
apply/object a14 s/\(now\.attrs & \(BR_IMMUTABLE \| BR_APPEND\)\) != 0/false/
apply/object test_apply s/return br_open_beneath\(dir, name, O_PATH \| O_NOFOLLOW, way->cross\)/return openat(dir, name, O_PATH | O_CLOEXEC)/
apply/object a15 s/if \(target->copies_up && /if (false \&\& /
apply/object a15 s/if \(!br_object_same\(wish->target, was, &now\)\)/if (false)/
apply/object test_apply,test_crash s/if \(wish->dry\) \{/if (false) {/
apply/object a03 s/if \(wish->guarded && br_privilege_goes/if (false \&\& br_privilege_goes/
apply/contents a03 s/if \(!has_no_writer\(fd\)\)/if (false)/
apply/contents a03,a04 s/return memcmp\(got, want, sizeof\(got\)\) == 0 \? NULL/return true ? NULL/
apply/contents a03 s/out\.mode &= ~\(uint32_t\)\(S_ISUID \| S_ISGID\);/(void)0;/
apply/batch test_apply s/b->target->stopped == 0 && !br_work_stops\(b->work\);/!br_work_stops(b->work);/
apply/batch test_apply s/b->target->stopped == 0 && !br_work_stops\(b->work\);/b->target->stopped == 0;/
apply/batch test_apply s/return !b->over && b/return b/
apply/batch test_apply s/b->over = r < 0;/b->over = false;/
apply/batch test_apply s/b\.over = b\.over \|\| r < 0;/b.over = b.over;/
apply/batch test_apply s/return br_work_sync\(b->work\);/return 0;/
apply/batch test_apply,a05 s/entry->event != BR_ENTER && /entry->event != BR_LEAVE \&\& /
apply/journal test_apply,test_journal s/if \(br_journal_flush\(journal\) < 0 \|\| fdatasync\(journal->fd\) < 0\)/if (br_journal_flush(journal) < 0)/
apply/journal test_journal s/&& br_crc32c\(seed, p, out->len - 4\) == out->crc/\&\& true/
apply/undo a21_accounts s/\|\| \(group != NULL && in->gid\.v == group->id\);/;/
apply/users a21_accounts s/return is_member\(account->name\) != 0 \?/return false ?/
apply/users a21_accounts s/return is_running\(true, group->id\) != 0 \?/return false ?/
apply/users a21_accounts s/if \(group == NULL \|\| !is_as_made\(group, line\)\) \{/if (group == NULL) { return NULL;/
apply/state a21_shortages s/\*why = errno == ENOENT \|\| br_is_shortage\(errno\) \?/*why = errno == ENOENT ?/
apply/state a21_places s/return sync_dir\(parent, "\."\) < 0 && errno != EACCES/return false/
apply/undo a21_accounts s/if \(t->fd < 0 \|\| t->stopped != 0\) \{/if (t->fd < 0) { continue;/
apply/undo a21_accounts s/\.cross = u->summary\.cross,/.cross = false,/
apply/work a22_durable s/i < target->elsewhere\.n && r == 0;/false;/
apply/batch a22_durable s/if \(c->before\.dev != b->target->root\.dev$/if (false/
apply/undo a22_durable s/if \(!u->dry && item->before\.dev != item->target->dev_then$/if (false/
apply/undo_run a22_rights s/bool made = run->makes > 0 .*/bool made = true;/
apply/undo_run a22_rights s/ \|\| run->state != BR_RUN_APPLIED;/;/
apply/alone a21_other s/if \(other->live && other->run\.state == BR_RUN_DAMAGED\) \{/if (false) {/
apply/resume a22_damaged s/return here > 0 \? -1 : 0;/return 0;/
apply/history a22_damaged s/s\.out->pending = s\.begun && .*/s.out->pending = false;/
apply/undo test_apply s/if \(u->untouched_sorted < u->untouched\.n\) \{/if (false) {/
apply/resume test_apply s/if \(s\.live\) \{/if (false) {/
apply/apply test_apply s/if \(br_run_lock\(work->journal_fd\) < 0\)/if (false)/
apply/resume test_apply s/\|\| \(changed_nothing\(work, &s\) && /|| (true \&\& /
apply/resume test_apply s/&& undone\.restored \+ undone\.removed/\&\& undone.removed/
apply/alone test_apply,a21 s/return lies_in\(a, b\) \|\| lies_in\(b, a\);/return lies_in(a, b);/
apply/alone test_apply,a21 s/return lies_in\(a, b\) \|\| lies_in\(b, a\);/return lies_in(b, a);/
apply/alone a21 s/if \(overlap\(mine\[i \/ bn\], others\[i % bn\]\)\)/if (false)/
inode/acl test_inode,a11 s/\(b < to && is_before\(&v\[b\], &v\[a\]\)\)/(b < to \&\& !is_before(\&v[a], \&v[b]))/
doc/text test_doc,a16 s/return n > DIRECTIVE_BYTES \?/return n > text->n ?/
doc/text test_doc,a16 s/if \(blanks\(text, i\) > BLANKS\) \{/if (blanks(text, i) > text->n) {/
identity/range a18 s/\(uid != BR_NO_ID && accounts_user\(image, uid\)\)/accounts_user(image, uid) != NULL/
identity/range a18 s/!found && gid != BR_NO_ID && i < /!found \&\& i < /
scan/seen test_seen,a05 s/\|\| !br_inode_untouched\(fd, &then, &now, seen->quiet\)/|| now.ino != then.ino/
base/text a10_commands,test_text s/br_buf_add\(buf, "'\\"'\\"'"\);/br_buf_add(buf, "'\\\\''");/
base/text a10_commands,test_text s/if \(len && br_is_hidden\(c\)\) \{/if (false) {/
report/pen a10_commands s/if \(br_has_hidden\(command, strlen\(command\)\)\) \{/if (true) {/
source/step test_source s/TRIES = 200,/TRIES = 1,/
scan/worker test_scan s/if \(is_endless\(w\)\) \{/if (false \&\& is_endless(w)) {/
scan/worker test_scan s/ \|\| node->depth > DEPTH_MOST\)/)/
scan/seen test_seen s/in->ctime\.sec < seen->quiet\.sec && //
scan/seen test_apply s/again->at = again->seen->last;/again->at = 0;/
check/told test_check s/\|\| \(rest && !is_well\(rest, demands, tree\)\) //
plan/plan a05 s/if \(class == NULL \|\| is_new\(work, inode\)\) \{/if (false) {/
apply/state test_apply s/if \(in\.uid\.v != geteuid\(\)\)/if (false)/
apply/state test_apply s/if \(\(in\.mode & forbidden\) != 0\)/if (false)/
apply/state test_apply s/if \(in\.acl != NULL \|\| in\.def != NULL\)/if (false)/
apply/state test_apply s/type == S_IFREG && in\.nlink != 1/false/
apply/state test_apply,a21 s/if \(in->uid\.v != 0 && in->uid\.v != geteuid\(\)\)/if (false)/
base/jail test_jail s/MOUNT_ATTR_NOSYMFOLLOW \| MOUNT_ATTR_NODEV/MOUNT_ATTR_NODEV/
base/jail test_jail s/failed = br_jail_close_others\(all, n \+ 1\)/failed = 0/
base/jail test_jail s/failed = br_sys_lock_in\(\)/failed = 0/
base/jail test_jail s/\*what = "its mounts do not become read-only";/return 0;/
base/jail test_jail s/ \|\| br_filter_changing\(\) \? -1/ ? -1/
base/jail test_jail,a22_rights s/if \(put_rights\(has, has & ~resting\)\) \{/if (put_rights(has, has)) {/
base/jail test_jail,a22_rights s/if \(left\.resting && put_rights\(rest, rest\)\) \{/if (false) {/
base/jail test_jail,a22_rights s/return left\.resting \? put_rights\(left\.has, left\.has & ~left\.resting\) : 0;/return 0;/
apply/apart a22_rights s/br_jail_drop\(apart->caps, BR_APART_RESTING\)/br_jail_drop(apart->caps, 0)/
apply/make a22_rights s/if \(br_jail_forgo\(\) < 0\) \{/if (false) {/
apply/make a22_rights s/if \(br_jail_rest\(\) < 0\) \{/if (false) {/
apply/make a22_rights s/if \(br_jail_wake\(\) < 0 \|\| rested\(mkdirat/if (rested(mkdirat/
apply/make a22_rights s/return br_jail_wake\(\) < 0 \? -1 : rested/return rested/
base/filter test_jail,a22_rights s/^\tSCMP_SYS\(capset\),$//
base/filter test_jail s/SCMP_ACT_ALLOW, SCMP_SYS\(prlimit64\), 2,/SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 0,/
base/filter test_jail s/F_GETFL, F_SETLEASE\};/F_GETFL, F_SETLEASE, F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETFL};/
base/filter test_jail s/SCMP_ACT_ERRNO\(EPERM\), SCMP_SYS\(prlimit64\), 2,/SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,/
base/filter a03,a04 s/F_GETFL, F_SETLEASE\};/F_GETFL};/
apply/apart test_crash s/\(void\)prctl\(PR_SET_PDEATHSIG, SIGKILL\);/(void)0;/
apply/apart require_jail s/= shortage \|\| apart->options->jail == BR_JAIL_REQUIRE;/= shortage;/
apply/apart a20 s/= shortage \|\| apart->options->jail/= apart->options->jail/
apply/apart a06_taken s/errno == EINVAL && is_detached\(t\)/false/
apply/apart a06_taken s/br_jail_mount\(t->fd, true\)/br_jail_mount(t->fd, apart->cross)/
apply/undo test_apply s/if \(is_untouched\(u, r->seq\) \|\| is_settled/if (is_settled/
apply/undo test_apply s/if \(is_untouched\(u, r->seq\) \|\| is_settled\(u, r->seq\)\)/if (is_untouched(u, r->seq))/
apply/resume a22_left s/if \(s\.pending && here <= 0\)/if (s.pending \&\& here < 0)/
apply/resume a22_left s/if \(s\.pending && here <= 0\)/if (s.pending)/
apply/undo a22_left s/ && t->stopped != EROFS;/;/
apply/history a22_left s/if \(s\.live\) \{/if (false) {/
apply/history a22_left s/&& s\.run\.state != BR_RUN_DAMAGED && s\.ended > 0/\&\& s.ended > 0/
apply/history a22_left s/bool old = r > 0 && !s\.pending &&/bool old = r > 0 \&\&/
apply/history a21_journals s/if \(s->foreign\) \{/if (false) {/
apply/history a21_journals s/if \(r > 0 && whole && /if (false \&\& whole \&\& /
apply/choose test_apply s/bool counts = newer && r > 0/bool counts = false \&\& r > 0/
apply/choose test_apply s/if \(r == 0 \|\| s\.live \|\| /if (r == 0 || /
apply/undo a21_undo s/return lost \? -1 : 0;/return 0;/
apply/undo_run a21_undo s/if \(!u->dry && br_run_lock\(u->fd\) < 0\)/if (false)/
apply/undo_run a21_undo s/\|\| source->linked\)/)/
apply/undo_run a21_undo s/t->stopped == 0 && !is_same_root\(t, &now\)/false/
apply/apply a21_undo s/if \(sync_targets\(work\) < 0\) \{/if (false) {/
apply/users a20_helpers s/if \(is_roots\(parent\)\)/if (true)/
apply/object a06_taken s/if \(target->covered != NULL && br_target_covers\(target, path\)\)/if (false)/
apply/make a23 s/in->uid\.v != geteuid\(\) \|\| //
apply/make a23 s/if \(!br_inode_equal\(&now, &after\)\)/if (false)/
apply/make a23 s/return br_inode_same\(&in, &now\) \? 0 : /return 0 ? 0 : 1 ? 0 : /
plan/danger a15 s/if \(plan->work->copies <= most\)/if (true)/
plan/gate a08 s/!file && !S_ISDIR\(facts->mode\)/false/
plan/gate a14 s/\(facts->flags & \(FACT_IMMUTABLE \| FACT_APPEND \| FACT_READ_ONLY\)\) != 0$/false/
plan/gate a02 s/if \(\(facts->flags & FACT_OTHER\) != 0\)/if (false)/
apply/apply a21_order s/\|\| refuse_state\(work\) < 0 \|\| /|| /
apply/undo_run a21_order s/if \(br_machine_differs\(u->summary\.machine\)\)/if (false)/
apply/users test_accounts s/if \(is_running\(account->is_group, account->id\) != 0\)/if (false)/
apply/users test_accounts s/ && strlen\(line\) == account->line\.n$//
apply/undo test_accounts,test_apply s/served\.r != 0 \? why_has_files\(u, &account\) : NULL/NULL/
base/file test_file s/how\.resolve \|= RESOLVE_BENEATH/(void)0/
apply/make test_apply s/if \(is_empty\(parent, name, made->ignore\) == 0\)/if (false \&\& made->ignore)/
apply/make a23 s/return is_empty\(m->parent, m->temporary, 0\) > 0 \? NULL/return true ? NULL/
apply/make a23 s/&& in->btime\.sec \+ 2 < m->since;/\&\& false;/
apply/make a23 s/m->name, RENAME_NOREPLACE/m->name, 0/
apply/make test_crash s/return errno == ENOENT \? 0 : -1/return 0/
plan/gate test_plan_whole,a02 s/if \(uid == 0 \|\| \(tree->root_seen/if (true || (tree->root_seen/
plan/gate test_plan_whole,a02 s/\(facts->flags & FACT_LINKS\) != 0 \|\| !plan->options->protected_hardlinks/(facts->flags \& FACT_LINKS) != 0/
plan/gate test_plan_whole,a02 s/if \(closed && !own && !named\)/if (false \&\& closed \&\& own \&\& named)/
plan/gate a02 s/\|\| \(facts->flags & FACT_ENCLOSED\) != 0;/|| false;/
plan/gate test_plan_whole,a03 s/\(facts->mode & 06000\) != 0 \|\| /false || /
plan/gate test_plan_whole,a04 s/\|\| \(facts->flags & FACT_CAPS\) != 0/|| false/
plan/gate test_plan_whole,a09 s/\(facts->flags & FACT_PRIVATE_NAME\) != 0/false/
plan/plan test_plan_whole,a02 s/if \(link == NULL \|\| !has_all_links\(link\) \|\| /if (link != NULL \&\& /
plan/draft test_plan,test_plan_random,a11 s/draft->group &= draft->mask;/(void)0;/
plan/draft test_plan,test_plan_random,a11 s/\(draft->v\[i\]\.perm & draft->mask\)/draft->v[i].perm/
plan/danger test_plan_whole,a09 s/return a->dev == b->dev && a->ino == b->ino;/return a == b;/
plan/danger test_plan_whole,a07 s/if \(unsafe != NULL && plan->options->caller\.v == 0 && /if (false \&\& /
plan/danger a09 s/return check_mounts\(plan, tree\);/return 0;/
plan/danger a09 s/place->reach == REACH_BELOW && place_lies_in\(mine, of\)/false/
plan/danger a09 s/return of != NULL$/return of == mine/
plan/danger a09 s/found = found == 0 \? find_shown\(plan, tree, &what, &never\) : found;/(void)find_shown;/
plan/danger a09 s/return name_is_private\(mine, false\) \? private_name : /return /
plan/danger a09 s/&& is_mounted\(check, mine, &state\)\)/\&\& false)/
plan/danger a20 s/if \(name != NULL\) \{/if (false) {/
source/source test_source,a07 s/if \(w->out->unsafe \|\| link->owner == w->here\.uid\)/if (true)/
source/trust test_source,a07 s/if \(dir->mode & S_IWOTH\)/if (false)/
demand a06_aliases s/joined = joined > 0 \? is_safe\(m, inner, outer\) : joined;/(void)is_safe;/
demand a06_aliases s/bool safe = !way\.unsafe && /bool safe = /
demand a06_aliases s/int joined = path \? is_reached\(m, path, outer, inner\) : -1;/int joined = 1; (void)is_reached;/
demand test_demand s/if \(joined > 0 && \(has_mounts/if (false \&\& (has_mounts/
demand a06_aliases s/\|\| \(is_read_only_mount\(outer\) && /|| (false \&\& /
demand a06_aliases s/if \(m->entries\.v\[i\]\.place && join_outermost/if (false \&\& join_outermost/
demand a06_aliases s/return x != y \? x < y : p != q \? q : a < b;/return x != y ? x < y : a < b;/
demand a06_aliases s/\|\| \(is_joined\(&m->entries\.v\[first\]\) && !is_joined\(one\)\);/;/
base/file a01,test_file s/RESOLVE_NO_SYMLINKS \| RESOLVE_NO_MAGICLINKS/RESOLVE_NO_MAGICLINKS/
base/file a06_mounts s/how\.resolve \|= RESOLVE_NO_XDEV/how.resolve |= 0/
plan/gate a04_sealed s/\(facts->flags & FACT_SEALED\) != 0/false/
apply/object a04_sealed s/if \(wish->seals && is_sealed\(fd, now\)\)/if (false)/
inode/seal a04_sealed s/return !understood \|\| \(value/return (value/
inode/seal a04_sealed s/KEYS = 3,/KEYS = 1,/
inode/seal a04_sealed s/\{"evm", "integrity\/evm\/evm"\}/{"evm", "evm"}/
scan/worker a06_automounts s/if \(!scan->options\.automounts\) \{/if (true) {/
scan/worker a06_automounts s/scan->options\.cross && is_automount\(node, fd\)/false/
base/become test_server s/if \(syscall\(SYS_setgroups, \(long\)guest->ngroups, guest->groups\)\) \{/if (false) {/
base/become test_server s/if \(syscall\(SYS_setresuid, guest->uid, guest->uid, guest->uid\)\) \{/if (false) {/
base/become test_server s/if \(set_caps\(guest->caps\)\) \{/if (set_caps(guest->caps | 6)) {/
base/become test_server s/if \(!has_groups\(guest\) \|\| !has_ids\(guest\) \|\| !has_caps\(guest->caps\)\)/if (err)/
server test_server s/leave_descriptors\(sock, root\)$/false/
server test_server s/\|\| prctl\(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0\);/;/
server test_server s/return cred->uids\.n \|\| cred->gids\.n \? 0 : cred->caps & reach;/return cred->caps;/
server test_server,a14_servers s/^\tverdict->missing = missing;/\tverdict->missing \&= missing;/
server a14_servers s/out->have &= allowed \? ~0U : ~\(unsigned\)BR_R;/(void)allowed;/
check/served a14_servers s/bool differs = br_server_decide\(&word, entry->inode->mode, need, verdict\);/bool differs = false;/
check/served a14_servers s/one->asker = br_asker_new\(ms->source->fd, &ms->identity->cred\)/one->asker = NULL/
plan/people a14_servers s/if \(served && people->v/if (false \&\& people->v/
check/walk a06_automounts s/\.automounts = may_hang,/.automounts = false,/
apply/batch a06_automounts s/\.automounts = target->remote,/.automounts = false,/
source/source a06_automounts s/state == BR_SOURCE_PRESENT && is_kind\(w->line, "autofs"\)/false/
plan/choose a15_quota s/ \|\| fs->nfs4_acl\) \{/) {/
source/source a15_quota s/fs->nfs4_acl = acls\.nfs4;/(void)0;/
apply/work a15_quota s/err == EDQUOT \|\| //
source/source a13 s/fs->keeps_acls = acls\.no_posix \? BR_NO : fs->keeps_acls;/(void)0;/
apply/batch a15_quota s/would_recur\(b, err\) \|\| \(err == EPERM && b->target->changed == 0\)/would_recur(b, err)/
apply/undo_run a22_rights s/if \(!summary->plain\) \{/if (true) {/
apply/undo_run a03,a04 s/if \(!summary->plain\) \{/if (false) {/
apply/journal test_journal s/, F\(U32, privileged\)\}/, F(U32, cross)}/
source/sockets a08 s/return S_ISSOCK\(step\.mode\) && step\.dev == source->dev && step\.ino == source->ino;/return false;/
source/sockets a08 s/if \(br_is_engine_socket_name\(source->real\)\) \{/if (false) {/
plan/danger a08 s/\|\| br_source_is_engine_socket\(tree->tree->root\)\)\) \{/)) {/
plan/quota test_plan_quota s/account->given > limit - account->used/false/
plan/quota test_plan_quota s/ \|\| \(soft && is_over\(account\)\)\) \{/) {/
plan/quota test_plan_quota s/kept->space \+= kept->more_space;/(void)0;/
plan/quota test_plan_quota s/return next;/return NULL;/
plan/plan test_plan_quota s/\*wanting && choose_may_keep\(plan, tree\) \? /false ? /
plan/plan test_plan_quota s/class->space \+= here \? link->space : 0;/(void)here;/
plan/quota a15_quota_kernel s/take_defaults\(root, group, &quota->has\);/(void)take_defaults;/
base/sys a15_quota_kernel s/if \(enforced <= 0\) \{/if (enforced < 0) {/
base/sys a15_quota_kernel s/: blocks << QIF_DQBLKSIZE_BITS;/: blocks;/
inode/read a15_quota_kernel s/\.blocks = st\.stx_blocks,/.blocks = st.stx_size \/ 512,/
apply/undo test_resumed s/\.keep = u->settle \? &item->after : NULL,/.keep = NULL,/
apply/object test_resumed s/if \(wish->keep != NULL && br_inode_equal\(&now, wish->keep\)\) \{/if (wish->keep != NULL) {/
apply/undo a22_resumed s/\|\| \(u->settle && u->result->failed > 0\);/;/
apply/undo a22_resumed s/\(answer->between \|\| hidden\)\) \{/hidden) {/
apply/undo a22_resumed s/\(answer->between \|\| hidden\)\) \{/answer->between) {/
apply/undo test_resumed,a22_resumed s/\.half = u->settle,/.half = false,/
apply/undo test_resumed s/\|\| \(u->settle && record->type != BR_REC_SETTLED\)\) \{/) {/
apply/undo_run a22_resumed s/ \|\| \(u->settle && check_places\(u\) < 0\)\) \{/) {/
apply/undo_run test_resumed s/if \(r > 0 && u->settle && !u->summary\.pending\) \{/if (false) {/
apply/choose a22_resumed s/\|\| s\.run\.state == BR_RUN_RESUMED\);/);/
apply/history a22_resumed s/s->undone = s->settled = false;/s->undone = false;/
apply/resume a22_resumed s/return r < 0 \? -1 : settle_all\(&work, dry, out\);/return r < 0 ? -1 : (int)out->n;/
apply/resume a22_resumed s/\|\| br_machine_differs\(s\.machine\)\) \{/) {/
base/jail test_jail s/return br_landlock\(BR_LANDLOCK_READ \| BR_LANDLOCK_DIRECTORIES\) \|\| /return /
base/landlock test_jail s/\(left & BR_LANDLOCK_DIRECTORIES\) != 0 \? directories : 0\)/0)/
END
}

link() {
	local object=$1 output=$2
	shift 2
	# shellcheck disable=SC2086 # the libraries are words
	cc -pthread "$@" "$object" "$build/libbindright.a" $libraries -lcmocka -o "$output" 2>"$work/log" || {
		cat "$work/log" >&2
		exit 3
	}
}

# Whether this test passes with the object in the library's place.
passes() {
	local test=$1 object=$2 script
	case $test in
	test_*)
		link "$object" "$work/$test" "${wrap[@]}" "$build/tests/$test.o" "$build"/tests/support/*.o
		timeout 120 "$work/$test" >"$work/out" 2>&1
		;;
	*)
		link "$object" "$work/bindright" "$build"/src/cli/*.o
		for script in "$top/tests/hostile/$test"*.sh "$top/tests/cli/$test.sh"; do
			[ -e "$script" ] || continue
			BINDRIGHT=$work/bindright timeout 240 bash "$script" >"$work/out" 2>&1 || return 1
		done
		;;
	esac
}

total=0 missed=0
only=${1:-}
while read -r module tests command; do
	case $module in *"$only"*) ;; *) continue ;; esac
	mutant=$work/$(basename "$module")
	sed -E "$command" "$top/src/$module.c" >"$mutant.c"
	total=$((total + 1))
	if [ "$(diff "$top/src/$module.c" "$mutant.c" | grep -c '^>')" != 1 ]; then
		echo "changes not one line: $module $command" >&2
		missed=$((missed + 1))
		continue
	fi
	if ! cc -std=gnu17 -D_GNU_SOURCE -DBR_VERSION='"0"' -I"$top/include" -I"$top/src" -I"$top/src/${module%/*}" -O1 -c "$mutant.c" -o "$mutant.o" 2>"$work/log"; then
		echo "does not compile: $module $command" >&2
		cat "$work/log" >&2
		missed=$((missed + 1))
		continue
	fi
	by=
	for test in ${tests//,/ }; do
		passes "$test" "$mutant.o" || { by=$test; break; }
	done
	if [ -z "$by" ]; then
		missed=$((missed + 1))
		echo "missed: $module $command"
	fi
done < <(mutants)
echo "$total mutations, $((total - missed)) noticed"
[ "$missed" = 0 ]
