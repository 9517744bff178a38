#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/demand.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A mount on its way to a tree. */
struct entry {
	struct br_mount_source *mount;
	/** The real path with its missing part; of what is reached through several mounts that of
	 * the outermost source. */
	const char *full;
	/** The mount on which that is. */
	uint64_t on;
	/** Which place of which file system it is (br_mounts_place()); NULL: nothing else comes
	 * near it. */
	const char *place;
	/** The first entry that reaches the same object, if there is one by this name; itself,
	 * where it is that. */
	size_t same;
	/** The entry whose source is the tree's root, and the path below it. */
	size_t root;
	const char *below;
};

/** What the result is made from. */
struct maker {
	/** NULL: it cannot be read. */
	const struct br_mounts *mounts;
	struct br_arena *arena;
	struct br_demands *out;
	const struct br_demand_options *options;
	enum br_input_kind kind;
	struct br_diags *dx;
	/** Those of out->mounts that can be judged, in order. */
	br_vec(struct entry) entries;
	br_vec(struct br_other) others;
};

/** The result, and the arena that owns all but the descriptors. */
struct owner {
	struct br_demands demands;
	struct br_arena arena;
};

/* What is needed. */

static bool is_read_only(const struct br_mount *mount) {
	return mount->read_only || mount->kind == BR_MOUNT_SECRET || mount->kind == BR_MOUNT_CONFIG;
}

/** Length without the slashes at the end; the root keeps one. */
static size_t path_length(const char *path) {
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	return n;
}

static bool is_same_path(const char *a, const char *b) {
	size_t n = path_length(a);
	return n == path_length(b) && memcmp(a, b, n) == 0;
}

/** Files exactly as asked; directories must be entered to reach what is asked. */
static struct br_need need_of_bits(unsigned bits, struct br_span said) {
	struct br_need need = {.dir = bits, .file = bits, .said = said};
	if (bits & (BR_R | BR_W)) {
		need.dir |= BR_X;
	}
	return need;
}

static unsigned bits_of_word(const char *word) {
	unsigned bits = strchr(word, 'r') ? BR_R : 0;
	bits |= strchr(word, 'w') ? BR_W : 0;
	return bits | (strchr(word, 'x') ? BR_X : 0);
}

/** The last --need for the mount's target, else what the input wishes, or the default. Marks all
 * options that speak of it. */
static struct br_need need_of_mount(
	const struct br_demand_options *options, const struct br_mount *mount) {
	unsigned bits = BR_R | BR_X | (is_read_only(mount) ? 0 : BR_W);
	struct br_need need = {.dir = bits, .file = bits, .as_any = true};
	const struct br_text *wish = &mount->wishes.need;
	if (wish->s) {
		need = need_of_bits(bits_of_word(wish->s), wish->at);
	}
	for (size_t i = 0; i < options->nneeds; i++) {
		struct br_need_option *option = &options->needs[i];
		if (mount->target.s && is_same_path(option->target.s, mount->target.s)) {
			option->used = true;
			need = need_of_bits(option->bits, option->target.at);
			need.by_option = true;
		}
	}
	return need;
}

/** What any class of the file may, named users and groups as far as the mask lets them. */
static unsigned bits_of_anybody(const struct br_inode *inode) {
	unsigned owner = (inode->mode >> 6) & 7;
	unsigned group = (inode->mode >> 3) & 7;
	unsigned other = inode->mode & 7;
	if ((inode->have & BR_HAVE_ACL) && inode->acl) {
		// The group bits are the mask, which may hold more than any entry.
		unsigned entries = 0;
		for (size_t i = 0; i < inode->acl->n; i++) {
			unsigned tag = inode->acl->entries[i].tag;
			if (tag == BR_ACL_USER || tag == BR_ACL_OWNING_GROUP
				|| tag == BR_ACL_GROUP) {
				entries |= inode->acl->entries[i].perm;
			}
		}
		group &= entries;
	}
	return owner | group | other;
}

/** A source that is no directory is all that its demand is about. */
static bool is_source(const struct br_demand *demand, const struct br_inode *inode) {
	const struct br_source *source = demand->source;
	return source && source->state == BR_SOURCE_PRESENT && !S_ISDIR(source->mode)
		&& !S_ISLNK(source->mode) && (source->mode & S_IFMT) == (inode->mode & S_IFMT);
}

/**
 * A socket, FIFO or device that is mounted by itself is there to be used; among a directory's
 * entries it may be anybody's. connect() wants to write, whatever the mount says (unix(7);
 * sb_permission() stops only files, directories and links).
 */
static unsigned need_of_special(const struct br_need *need, const struct br_inode *inode) {
	unsigned anybody = bits_of_anybody(inode);
	return S_ISSOCK(inode->mode) ? anybody & BR_W : anybody & need->file & (BR_R | BR_W);
}

unsigned br_need_of(const struct br_demand *demand, const struct br_inode *inode) {
	const struct br_need *need = &demand->need;
	if (S_ISDIR(inode->mode)) {
		return need->dir;
	}
	if (S_ISLNK(inode->mode)) {
		return 0;
	}
	if (!need->as_any) {
		return need->file;
	}
	if (S_ISREG(inode->mode)) {
		return need->file & bits_of_anybody(inode);
	}
	return is_source(demand, inode) ? need_of_special(need, inode) : 0;
}

bool br_need_needs_acl(const struct br_demand *demand, const struct br_inode *inode) {
	unsigned group = (inode->mode >> 3) & demand->need.file & 7;
	unsigned others = (inode->mode | inode->mode >> 6) & 7;
	if (!S_ISREG(inode->mode) && !is_source(demand, inode)) {
		return false;
	}
	return demand->need.as_any && (group & ~others) != 0;
}

bool br_names_file(const char *path) {
	static const char *const endings[] = {"cer", "cert", "cfg", "cnf", "conf", "crt", "csv",
		"db", "env", "gz", "htpasswd", "html", "ini", "js", "json", "key", "lock", "log",
		"lua", "md", "onnx", "pem", "php", "pid", "properties", "pt", "pub", "py",
		"safetensors", "service", "sh", "sock", "sql", "sqlite", "sqlite3", "tar", "tgz",
		"toml", "txt", "xml", "yaml", "yml", "zip"};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (strcasecmp(dot + 1, endings[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Sources. */

static size_t count_mounts(const struct br_spec *spec) {
	size_t n = 0;
	for (size_t i = 0; i < spec->n; i++) {
		for (size_t j = 0; j < spec->containers[i].nmounts; j++) {
			n += br_mount_on_host(&spec->containers[i].mounts[j]);
		}
	}
	return n;
}

static int open_source(struct maker *m, const struct br_container *box,
	const struct br_mount *mount, const struct br_identity *first) {
	struct br_demands *out = m->out;
	struct br_source *source = &out->sources[out->nsources];
	if (br_source_open_among(
		    m->arena, m->mounts, mount->source.s, m->options->trusted, source)) {
		return br_error_memory(m->dx);
	}
	out->nsources++;
	const struct br_identity *identity = br_identity_on_mount(
		br_identity_of_mount(first, mount, source->state == BR_SOURCE_MISSING), mount);
	out->mounts[out->nmounts++] = (struct br_mount_source){
		.container = box, .mount = mount, .identity = identity, .source = source};
	return 0;
}

static int open_sources(
	struct maker *m, const struct br_spec *spec, const struct br_identity *identities) {
	size_t n = count_mounts(spec);
	m->out->sources = BR_NEW_ARRAY(m->arena, struct br_source, n);
	m->out->mounts = BR_NEW_ARRAY(m->arena, struct br_mount_source, n);
	if (!m->out->sources || !m->out->mounts) {
		return br_error_memory(m->dx);
	}
	for (size_t i = 0; i < spec->n; i++) {
		const struct br_container *box = &spec->containers[i];
		for (size_t j = 0; j < box->nmounts; j++) {
			const struct br_mount *mount = &box->mounts[j];
			if (br_mount_on_host(mount) && open_source(m, box, mount, &identities[i])) {
				return -1;
			}
		}
	}
	return 0;
}

/* Trees. */

static const char *full_path(struct br_arena *arena, const struct br_source *source) {
	if (!source->missing) {
		return source->real;
	}
	bool root = source->real[0] == '/' && !source->real[1];
	return br_printf(arena, "%s/%s", root ? "" : source->real, source->missing);
}

static int list_entries(struct maker *m) {
	for (size_t i = 0; i < m->out->nmounts; i++) {
		struct br_mount_source *mount = &m->out->mounts[i];
		enum br_source_state state = mount->source->state;
		bool judged = state == BR_SOURCE_PRESENT || state == BR_SOURCE_MISSING;
		if (!judged || mount->identity->confidence == BR_UNKNOWN
			|| mount->identity->unmapped) {
			continue;
		}
		struct entry entry = {.mount = mount,
			.full = full_path(m->arena, mount->source),
			.on = mount->source->mount};
		if (!entry.full || br_vec_push(m->arena, &m->entries, entry)) {
			return br_error_memory(m->dx);
		}
	}
	return 0;
}

/** Whether two entries reach the same object: two names of one file count, too. */
static bool is_same_object(const struct entry *a, const struct entry *b) {
	const struct br_source *x = a->mount->source;
	const struct br_source *y = b->mount->source;
	if (x->state != y->state || a->on != b->on) {
		return false;
	}
	if (x->state == BR_SOURCE_PRESENT) {
		return x->dev == y->dev && x->ino == y->ino;
	}
	return strcmp(a->full, b->full) == 0;
}

/** The path of `inner` below `outer` on the same mount; "" where it is the same path, NULL where it
 * is elsewhere. */
static const char *path_below(const struct entry *inner, const struct entry *outer) {
	if (inner->on != outer->on) {
		return NULL;
	}
	size_t n = strlen(outer->full);
	if (strncmp(inner->full, outer->full, n) != 0) {
		return NULL;
	}
	const char *rest = inner->full + n;
	// "/" alone ends with its slash.
	if (*rest == '/') {
		rest++;
	} else if (*rest && outer->full[n - 1] != '/') {
		return NULL;
	}
	return rest;
}

/* Bind mounts: one place by several paths. */

/** Whether two sources may be one place, or one lie in the other, although they are on different
 * mounts. */
static bool may_be_joined(const struct br_source *a, const struct br_source *b) {
	bool judged = (a->state == BR_SOURCE_PRESENT || a->state == BR_SOURCE_MISSING)
		&& (b->state == BR_SOURCE_PRESENT || b->state == BR_SOURCE_MISSING);
	return judged && a->dev == b->dev && a->mount != b->mount;
}

/** What of a place lies in another: "", "/a/b" or NULL. */
static const char *place_below(const char *inner, const char *outer) {
	size_t n = strlen(outer);
	if (strcmp(inner, outer) == 0) {
		return "";
	}
	// That of a whole file system ends with its slash.
	n -= n > 0 && outer[n - 1] == '/';
	return strncmp(inner, outer, n) == 0 && inner[n] == '/' ? inner + n : NULL;
}

/** 0, or -1 with ENOMEM. */
static int find_places(struct maker *m) {
	struct entry *v = m->entries.v;
	for (size_t i = 0; m->mounts && i < m->entries.n; i++) {
		bool near = false;
		for (size_t j = 0; !near && j < m->entries.n; j++) {
			near = may_be_joined(v[i].mount->source, v[j].mount->source);
		}
		v[i].place = near ? br_mounts_place(m->arena, m->mounts, v[i].full) : NULL;
		if (near && !v[i].place) {
			return -1;
		}
	}
	return 0;
}

/** Of two missing sources: the same names are missing. */
static bool lacks_same(const struct br_source *a, const struct br_source *b) {
	return a->state != BR_SOURCE_MISSING || strcmp(a->missing, b->missing) == 0;
}

/**
 * What `outer` is called there; the same inode (where it is missing: the directory that it is
 * missing in), with the same owner (an ID-mapped mount shows others), and on the mount of `outer`.
 * 1, 0, -1 with ENOMEM.
 */
static int is_reached(
	struct maker *m, const char *path, const struct entry *outer, const struct entry *inner) {
	struct br_source source;
	struct br_inode here;
	struct br_inode there;
	if (br_source_open_among(m->arena, m->mounts, path, m->options->trusted, &source)) {
		return -1;
	}
	bool same = source.state == inner->mount->source->state && !source.linked
		&& lacks_same(&source, inner->mount->source)
		&& source.mount == outer->mount->source->mount
		&& source.dev == inner->mount->source->dev
		&& source.ino == inner->mount->source->ino
		&& br_inode_stat(source.fd, "", &here) == 0
		&& br_inode_stat(inner->mount->source->fd, "", &there) == 0
		&& here.uid.v == there.uid.v && here.gid.v == there.gid.v;
	br_source_release(&source);
	return same;
}

/**
 * Whether the way to it cannot be turned: on the way to its mount point nobody else has a hand, and
 * what follows lies in `outer`, beneath which everything is reached by names alone.
 */
static int is_safe(struct maker *m, const struct entry *inner, const struct entry *outer) {
	const struct br_source *source = inner->mount->source;
	const char *point = source->fs.mount_point;
	struct br_source way;
	if (!source->unsafe) {
		return 1;
	}
	if (strcmp(inner->place, outer->place) == 0) {
		return 0;
	}
	const char *place = br_mounts_place(m->arena, m->mounts, point);
	if (!place || br_source_open_among(m->arena, m->mounts, point, m->options->trusted, &way)) {
		return -1;
	}
	bool safe = !way.unsafe && place_below(place, outer->place);
	br_source_release(&way);
	return safe;
}

/** Whether something is mounted inside, which by the other name may not be seen there. */
static bool has_mounts(const struct maker *m, const char *path) {
	return br_mounts_below(m->mounts, path, NULL, NULL) > 0;
}

static bool is_read_only_mount(const struct entry *entry) {
	return entry->mount->source->fs.mount_read_only;
}

/** Let `inner` be what lies in `outer`, if it does. 1, 0, -1 with ENOMEM. */
static int join(struct maker *m, struct entry *inner, const struct entry *outer) {
	const struct br_source *source = outer->mount->source;
	const char *rest = place_below(inner->place, outer->place);
	if (!rest || source->unsafe || !may_be_joined(inner->mount->source, source)
		|| (is_read_only_mount(outer) && !is_read_only_mount(inner))) {
		return 0;
	}
	const char *real = full_path(m->arena, source);
	bool root = real && strcmp(real, "/") == 0;
	const char *path =
		real ? br_printf(m->arena, "%s%s", root && *rest ? "" : real, rest) : NULL;
	int joined = path ? is_reached(m, path, outer, inner) : -1;
	if (joined > 0 && (has_mounts(m, path) || has_mounts(m, inner->full))) {
		return 0;
	}
	joined = joined > 0 ? is_safe(m, inner, outer) : joined;
	if (joined > 0) {
		inner->full = path;
		inner->on = source->mount;
	}
	return joined;
}

/** Which of two is asked first: the outermost; of several names of it one that can be written, and
 * the first. */
static bool is_before(const struct entry *a, const struct entry *b) {
	size_t x = strlen(a->place);
	size_t y = strlen(b->place);
	bool p = is_read_only_mount(a);
	bool q = is_read_only_mount(b);
	return x != y ? x < y : p != q ? q : a < b;
}

/** Join it with the outermost that it lies in; one that several names have, with the first of them.
 * 0, -1 with ENOMEM. */
static int join_outermost(struct maker *m, struct entry *inner) {
	const struct entry *tried = NULL;
	for (;;) {
		const struct entry *next = NULL;
		for (size_t j = 0; j < m->entries.n; j++) {
			const struct entry *one = &m->entries.v[j];
			if (one->place && is_before(one, inner) && (!tried || is_before(tried, one))
				&& (!next || is_before(one, next))) {
				next = one;
			}
		}
		int joined = next ? join(m, inner, next) : 1;
		if (joined) {
			return joined < 0 ? -1 : 0;
		}
		tried = next;
	}
}

/** Sources that are one place, or lie in another, by way of bind mounts are solved together, as
 * those are that names alone show to. */
static int join_mounts(struct maker *m) {
	if (find_places(m)) {
		return br_error_memory(m->dx);
	}
	for (size_t i = 0; i < m->entries.n; i++) {
		if (m->entries.v[i].place && join_outermost(m, &m->entries.v[i])) {
			return br_error_memory(m->dx);
		}
	}
	return 0;
}

static bool is_joined(const struct entry *entry) {
	return entry->on != entry->mount->source->mount;
}

/** One whose source it is by this name comes before those that were joined. */
static void find_same(struct maker *m) {
	for (size_t i = 0; i < m->entries.n; i++) {
		struct entry *entry = &m->entries.v[i];
		size_t first = m->entries.n;
		for (size_t j = 0; j < m->entries.n; j++) {
			const struct entry *one = &m->entries.v[j];
			bool better = first == m->entries.n
				|| (is_joined(&m->entries.v[first]) && !is_joined(one));
			first = better && is_same_object(one, entry) ? j : first;
		}
		entry->same = first;
		entry->root = first;
		entry->below = "";
	}
}

/** Let the first entry of each object know the outermost source that any name of it lies in. */
static void find_roots(struct maker *m) {
	struct entry *v = m->entries.v;
	for (size_t i = 0; i < m->entries.n; i++) {
		struct entry *first = &v[v[i].same];
		for (size_t j = 0; j < m->entries.n; j++) {
			const char *below = path_below(&v[i], &v[j]);
			if (below && *below && strlen(v[j].full) < strlen(v[first->root].full)) {
				first->root = v[j].same;
				first->below = below;
			}
		}
	}
	for (size_t i = 0; i < m->entries.n; i++) {
		v[i].root = v[v[i].same].root;
		v[i].below = v[v[i].same].below;
	}
}

static int refuse_crowd(struct maker *m, const struct entry *entry) {
	return br_error(m->dx, entry->mount->mount->at, "more than %d mounts share '%s'",
		(int)BR_DEMANDS_MAX, m->entries.v[entry->root].full);
}

/** How many entries have this one's source as their root. */
static size_t count_demands(const struct maker *m, size_t root) {
	size_t n = 0;
	for (size_t i = 0; i < m->entries.n; i++) {
		n += m->entries.v[i].root == root;
	}
	return n;
}

bool br_path_within(const char *path, const char *above) {
	size_t n = strlen(above);
	return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

bool br_demand_applies(const struct br_demand *demand, const char *path) {
	if (!br_path_within(path, demand->below)) {
		return false;
	}
	for (size_t i = 0; i < demand->ncovered; i++) {
		if (br_path_within(path, demand->covered[i])) {
			return false;
		}
	}
	return true;
}

/** What lies over this mount in its container; an OCI runtime mounts in the order of the list,
 * engines from the outside to the inside. */
static int find_covered(struct maker *m, struct br_demand *demand) {
	const struct br_container *box = demand->container;
	const char *target = demand->mount->target.s;
	size_t n = strlen(target);
	n -= n > 0 && target[n - 1] == '/';
	br_vec(const char *) covered = {0};
	for (size_t i = 0; i < box->nmounts; i++) {
		const struct br_mount *inner = &box->mounts[i];
		bool later = m->kind != BR_INPUT_OCI || inner > demand->mount;
		if (inner == demand->mount || !later || strncmp(inner->target.s, target, n) != 0
			|| inner->target.s[n] != '/' || !inner->target.s[n + 1]) {
			continue;
		}
		const char *rest = inner->target.s + n + 1;
		const char *path = br_printf(
			m->arena, "%s%s%s", demand->below, *demand->below ? "/" : "", rest);
		if (!path || br_vec_push(m->arena, &covered, path)) {
			return br_error_memory(m->dx);
		}
	}
	demand->covered = covered.v;
	demand->ncovered = covered.n;
	return 0;
}

static int fill_tree(
	struct maker *m, size_t root, struct br_tree *tree, struct br_demand *demands) {
	tree->root = m->entries.v[root].mount->source;
	tree->path = m->entries.v[root].full;
	tree->demands = demands;
	for (size_t i = 0; i < m->entries.n; i++) {
		const struct entry *entry = &m->entries.v[i];
		if (entry->root != root) {
			continue;
		}
		struct br_mount_source *mount = entry->mount;
		struct br_demand *demand = &demands[tree->n];
		*demand = (struct br_demand){
			.container = mount->container,
			.mount = mount->mount,
			.identity = mount->identity,
			.source = mount->source,
			.below = entry->below,
			.need = need_of_mount(m->options, mount->mount),
			.read_only = is_read_only(mount->mount),
			.index = (unsigned)tree->n++,
		};
		struct br_mapped_mount mapped = {
			.mode = m->options->mode,
			.identity = demand->identity,
			.mount = demand->mount,
		};
		if (br_mount_maps(m->arena, &mapped, m->dx) || find_covered(m, demand)) {
			return -1;
		}
		demand->mount_uids = mapped.uids;
		demand->mount_gids = mapped.gids;
		mount->demand = demand;
		mount->tree = tree;
	}
	return 0;
}

/** Trees in the order of their first demand. */
static int make_trees(struct maker *m) {
	struct br_tree *trees = BR_NEW_ARRAY(m->arena, struct br_tree, m->entries.n);
	if (!trees) {
		return br_error_memory(m->dx);
	}
	for (size_t i = 0; i < m->entries.n; i++) {
		const struct entry *entry = &m->entries.v[i];
		if (entry->mount->tree) {
			continue;
		}
		size_t n = count_demands(m, entry->root);
		if (n > BR_DEMANDS_MAX) {
			return refuse_crowd(m, entry);
		}
		struct br_demand *demands = BR_NEW_ARRAY(m->arena, struct br_demand, n);
		if (!demands) {
			return br_error_memory(m->dx);
		}
		if (fill_tree(m, entry->root, &trees[m->out->ntrees++], demands)) {
			return -1;
		}
	}
	m->out->trees = trees;
	return 0;
}

/* What others mount. */

static bool is_own(const struct maker *m, const struct br_source *source) {
	for (size_t i = 0; i < m->out->nsources; i++) {
		const struct br_source *own = &m->out->sources[i];
		if (own->state == BR_SOURCE_PRESENT && own->dev == source->dev
			&& own->ino == source->ino) {
			return true;
		}
	}
	return false;
}

static int add_other(struct maker *m, const struct br_claim *claim, bool is_service) {
	struct br_source source;
	if (br_source_open_among(
		    m->arena, m->mounts, claim->source.s, m->options->trusted, &source)) {
		return br_error_memory(m->dx);
	}
	struct br_other other = {claim->name.s, is_service, source.dev, source.ino};
	bool counts = source.state == BR_SOURCE_PRESENT && !is_own(m, &source);
	br_source_release(&source);
	return counts && br_vec_push(m->arena, &m->others, other) ? br_error_memory(m->dx) : 0;
}

static int find_others(struct maker *m, const struct br_spec *spec) {
	const struct br_demand_options *options = m->options;
	for (size_t i = 0; options->others && i < spec->nclaims; i++) {
		if (add_other(m, &spec->claims[i], true)) {
			return -1;
		}
	}
	for (size_t i = 0; options->others && i < options->nclaims; i++) {
		if (add_other(m, &options->claims[i], false)) {
			return -1;
		}
	}
	m->out->others = m->others.v;
	m->out->nothers = m->others.n;
	return 0;
}

/* The options that nothing took. */

static int refuse_need(struct maker *m, const struct br_need_option *option) {
	size_t n = 0;
	const char **targets = BR_NEW_ARRAY(m->arena, const char *, m->out->nmounts + 1);
	if (!targets) {
		return br_error_memory(m->dx);
	}
	for (size_t i = 0; i < m->out->nmounts; i++) {
		if (m->out->mounts[i].mount->target.s) {
			targets[n++] = m->out->mounts[i].mount->target.s;
		}
	}
	(void)br_error(m->dx, option->target.at, "no container mounts a host path at '%s'",
		option->target.s); // it always says -1
	const char *near = br_nearest(option->target.s, targets);
	if (near) {
		br_hint(m->dx, "did you mean %s?", near);
	}
	return -1;
}

/** A mount that cannot be judged takes its option all the same. */
static int check_needs(struct maker *m) {
	int result = 0;
	for (size_t i = 0; i < m->out->nmounts; i++) {
		(void)need_of_mount(m->options, m->out->mounts[i].mount); // marks the options
	}
	for (size_t i = 0; i < m->options->nneeds; i++) {
		if (!m->options->needs[i].used) {
			result = refuse_need(m, &m->options->needs[i]);
		}
	}
	return result;
}

static int make(struct maker *m, const struct br_spec *spec, const struct br_identity *identities) {
	if (open_sources(m, spec, identities) || find_others(m, spec) || list_entries(m)) {
		return -1;
	}
	if (join_mounts(m)) {
		return -1;
	}
	find_same(m);
	find_roots(m);
	int bad_needs = check_needs(m);
	return make_trees(m) || bad_needs ? -1 : 0;
}

struct br_demands *br_demands_make(const struct br_spec *spec, const struct br_identity *identities,
	const struct br_demand_options *options, struct br_diags *dx) {
	struct owner *owner = calloc(1, sizeof(*owner));
	if (!owner) {
		(void)br_error_memory(dx); // it always says -1
		return NULL;
	}
	br_auto(br_demands_freep) struct br_demands *out = &owner->demands;
	out->arena = &owner->arena;
	for (size_t i = 0; i < options->nneeds; i++) {
		options->needs[i].used = false;
	}
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	if (!mounts && errno == ENOMEM) {
		(void)br_error_memory(dx);
		return NULL;
	}
	struct maker m = {.arena = out->arena,
		.out = out,
		.options = options,
		.kind = spec->kind,
		.mounts = mounts,
		.dx = dx};
	return make(&m, spec, identities) ? NULL : br_steal(&out);
}

void br_demands_free(struct br_demands *demands) {
	if (!demands) {
		return;
	}
	for (size_t i = 0; i < demands->nsources; i++) {
		br_source_release(&demands->sources[i]);
	}
	br_arena_release(demands->arena);
	// The demands are the first member of what was allocated.
	free(demands);
}

void br_demands_freep(struct br_demands **demands) {
	br_demands_free(*demands);
	*demands = NULL;
}
