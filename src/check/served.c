/**
 * Where a file system's server decides, it is asked: about each entry, as the container's user,
 * with the mode's word beside its own.
 */
#include "walk.h"

#include <base/own.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** About so many entries of a mount at most: each is a call over the network. The modes
	 * decide about more, and it is said. */
	ASK_MOST = 50000,
};

struct one {
	/** Of `shared` it is another mount's, before it. */
	struct br_asker *asker;
	bool shared;
	int err;
};

struct br_asking {
	size_t n;
	/** One a mount of the demands. */
	struct one mounts[];
};

bool is_asked(const struct br_mount_source *ms) {
	const struct br_source *source = ms->source;
	// What is asked now is what the container will find: not where the engine changes owners
	// first, an overlay lies between or IDs are mapped.
	return ms->demand && source->state == BR_SOURCE_PRESENT && source->fs.served
		&& !ms->mount->chown && !ms->mount->overlay && !ms->identity->id_mapped
		&& ms->demand->mount_uids.n == 0;
}

static bool is_same_cred(const struct br_cred *a, const struct br_cred *b) {
	bool same = a->uid.v == b->uid.v && a->gid.v == b->gid.v && a->caps == b->caps
		&& a->uids.n == b->uids.n && a->gids.n == b->gids.n && a->ngroups == b->ngroups;
	for (size_t i = 0; same && i < a->ngroups; i++) {
		same = a->groups[i].v == b->groups[i].v;
	}
	return same;
}

/** An earlier mount of the same place for the same user; NULL. */
static const struct one *find_like(
	const struct br_asking *asking, const struct br_demands *demands, size_t mount) {
	const struct br_mount_source *ms = &demands->mounts[mount];
	for (size_t i = 0; i < mount; i++) {
		const struct br_mount_source *other = &demands->mounts[i];
		if (is_asked(other) && other->source->dev == ms->source->dev
			&& other->source->ino == ms->source->ino
			&& other->source->mount == ms->source->mount
			&& is_same_cred(&other->identity->cred, &ms->identity->cred)) {
			return &asking->mounts[i];
		}
	}
	return NULL;
}

struct br_asking *br_asking_new(const struct br_check_input *input) {
	const struct br_demands *demands = input->demands;
	size_t n = demands->nmounts;
	struct br_asking *asking = calloc(1, sizeof(*asking) + n * sizeof(asking->mounts[0]));
	if (!asking) {
		return NULL;
	}
	asking->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		struct one *one = &asking->mounts[i];
		const struct one *like = is_asked(ms) ? find_like(asking, demands, i) : NULL;
		if (like) {
			*one = *like;
			one->shared = true;
		} else if (is_asked(ms)) {
			one->asker = br_asker_new(ms->source->fd, &ms->identity->cred);
			one->err = one->asker ? 0 : errno;
		}
	}
	return asking;
}

void br_asking_free(struct br_asking *asking) {
	for (size_t i = 0; asking && i < asking->n; i++) {
		if (!asking->mounts[i].shared) {
			br_asker_free(asking->mounts[i].asker);
		}
	}
	free(asking);
}

void br_asking_freep(struct br_asking **asking) {
	br_asking_free(*asking);
	*asking = NULL;
}

struct br_asker *asker_of(const struct br_asking *asking, size_t mount) {
	return asking ? asking->mounts[mount].asker : NULL;
}

/** Not heard in time: as what could not be looked at, once. */
static void note_silence(
	struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	struct mount_work *mw = walk->mounts[demand->index];
	mw->result.unseen++;
	mw->unseen_err = ETIMEDOUT;
	walk->work->check->complete = false;
	count_in_tally(walk->work, &mw->unseen, demand, entry, &(struct br_verdict){0});
}

void ask_server(struct walk *walk, const struct br_demand *demand, const struct br_entry *entry,
	unsigned need, struct br_verdict *verdict) {
	struct heard *heard = &walk->mounts[demand->index]->heard;
	struct br_server_word word;
	size_t n = strlen(demand->below);
	const char *below = entry->path + n + (n && entry->path[n] == '/');
	bool allowed = verdict->missing == 0;
	heard->asks = true;
	if (heard->err == ETIMEDOUT || heard->err == EPIPE) {
		return;
	}
	if (heard->asked == ASK_MOST) {
		heard->err = E2BIG;
		return;
	}
	// Nobody waits for it again.
	if (walk->silent
		|| br_asker_ask(walk->askers[demand->index], below, entry->inode->mode, &word)) {
		heard->err = walk->silent ? ETIMEDOUT : errno;
		walk->silent = heard->err == ETIMEDOUT;
		if (walk->silent) {
			note_silence(walk, demand, entry);
		}
		return;
	}
	heard->asked++;
	bool differs = br_server_decide(&word, entry->inode->mode, need, verdict);
	heard->err = word.unheard & need ? EROFS : heard->err;
	heard->refused += (verdict->missing & ~word.unheard) != 0;
	heard->gifts += differs && verdict->missing == 0;
	heard->denials += differs && verdict->missing != 0 && allowed;
}

static const char *say_unheard(struct check_work *work, int err) {
	switch (err) {
	case EPERM:
	case EINVAL:
		return geteuid() == 0 ? "this process may not become that user"
				      : "only root can ask as somebody else";
	case EROFS:
		return "its mount is read-only, and refuses writing by itself";
	case E2BIG:
		return say(work, "about the first %d entries only", (int)ASK_MOST);
	case EPIPE:
		return "who asked was ended by somebody";
	default:
		return say_unseen(err);
	}
}

/** "asked as 1001:1001 it allows all 26 entries, 3 of them although the mode refuses it". */
static const char *say_heard(
	struct check_work *work, const struct heard *heard, const struct br_cred *cred) {
	const char *ids = say_ids(work, cred);
	const char *entries = heard->asked == 1 ? "entry" : "entries";
	if (heard->asked == 0) {
		return say(work, "it was not asked as %s: %s", ids, say_unheard(work, heard->err));
	}
	const char *rest =
		heard->err ? say(work, "; not about all: %s", say_unheard(work, heard->err)) : "";
	if (heard->refused == 0) {
		const char *but = !heard->gifts ? ""
			: heard->gifts == heard->asked
			? ", although the mode refuses it"
			: say(work, ", %" PRIu64 " of them although the mode refuses it",
				heard->gifts);
		return say(work, "asked as %s it allows what is needed of %" PRIu64 " %s%s%s", ids,
			heard->asked, entries, but, rest);
	}
	const char *but = !heard->denials ? ""
		: heard->denials == heard->refused
		? ", although the mode allows it"
		: say(work, ", of %" PRIu64 " of them although the mode allows it", heard->denials);
	return say(work,
		"asked as %s it refuses what is needed of %" PRIu64 " of %" PRIu64 " %s%s%s", ids,
		heard->refused, heard->asked, entries, but, rest);
}

void check_heard(struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	struct heard *heard = &mw->heard;
	if (!is_asked(ms) || mw->result.seen == 0) {
		return;
	}
	const struct one *one = &work->asking->mounts[ms - work->input->demands->mounts];
	heard->err = one->asker ? heard->err : one->err;
	mw->result.served = heard->asked > 0 && heard->err == 0 && mw->result.fits;
	if (heard->finding && (heard->asks || !one->asker)) {
		struct br_finding *finding = &work->findings.v[heard->finding - 1];
		finding->because = say(work, "%s; %s", finding->because,
			say_heard(work, heard, &ms->identity->cred));
	}
}

const char *say_squashed(
	struct check_work *work, const struct mount_work *mw, const struct br_fs *fs, int err) {
	if (!fs->served || br_fs_is_private(fs) || geteuid() != 0
		|| (err != EACCES && err != EPERM)) {
		return NULL;
	}
	bool lets_in = mw && mw->heard.asked > 0 && mw->result.verdict.missing == 0;
	const char *ids = lets_in ? say_ids(work, &mw->result.mount->identity->cred) : "";
	return lets_in ? say(work,
		       "root_squash possible: its server refuses root what it allows to %s", ids)
		       : "root_squash possible: to its server root may be nobody";
}
