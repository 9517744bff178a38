#include "hostdb.h"

#include "caps.h"

#include <base/file.h>
#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/identity.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	/** No account file is larger than this. */
	FILE_MAX_BYTES = 16 << 20,
	/** The longest answer that the name service may give. */
	ANSWER_MAX_BYTES = 1 << 20,
	LOGIN_UMASK = 022,
};

/** A line of subuid or subgid. */
struct range {
	const char *owner;
	uint32_t start;
	uint32_t count;
};

typedef br_vec(struct range) range_vec;

/** An ID that neither the files nor the name service know. */
typedef br_vec(uint32_t) miss_vec;

struct br_hostdb {
	struct br_arena arena;
	const char *sysroot;
	struct hostdb_text subuid_text;
	struct hostdb_text subgid_text;
	/** The sysroot is "/": the name service speaks of the same accounts. */
	bool asks;
	br_vec(struct br_host_user) users;
	br_vec(struct br_host_group) groups;
	// What the name service knew beyond the files. Each item is allocated by itself, for
	// callers keep pointers.
	br_vec(const struct br_host_user *) found_users;
	br_vec(const struct br_host_group *) found_groups;
	miss_vec missed_users;
	miss_vec missed_groups;
	range_vec subuids;
	range_vec subgids;
	struct br_id_limits limits;
};

/* Lines and fields. */

/** Takes one line of a file apart. 0, or -1 with ENOMEM; a line that is none of its kind is left
 * out. */
typedef int line_reader(struct br_hostdb *db, char *line);

/** Cut `line` at its colons; at most n fields, the rest is ignored. How many there are; the others
 * are NULL. */
static size_t split(char *line, char **fields, size_t n) {
	size_t found = 0;
	memset(fields, 0, n * sizeof(*fields));
	while (line && found < n) {
		char *colon = strchr(line, ':');
		if (colon) {
			*colon++ = 0;
		}
		fields[found++] = line;
		line = colon;
	}
	return found;
}

static char *trim(char *s) {
	s += strspn(s, " \t\r");
	size_t n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1])) {
		s[--n] = 0;
	}
	return s;
}

/** A number as the C library reads it in these files: leading zeros are allowed, and base 10 all
 * the same. */
static bool read_number(const char *s, uint32_t max, uint32_t *out) {
	while (s && s[0] == '0' && s[1]) {
		s++;
	}
	return s && br_parse_u32(s, max, out) == 0;
}

/** Whether a name can be an account's; '+' and '-' begin the NIS lines, which name none. */
static bool is_name(const char *s) {
	return s && *s && *s != '+' && *s != '-';
}

static int read_passwd_line(struct br_hostdb *db, char *line) {
	char *fields[6];
	(void)split(line, fields, 6); // absent fields are NULL
	struct br_host_user user = {0};
	if (!is_name(fields[0]) || !read_number(fields[2], BR_NO_ID - 1, &user.uid.v)
		|| !read_number(fields[3], BR_NO_ID - 1, &user.gid.v)) {
		return 0;
	}
	user.name = br_strdup(&db->arena, fields[0]);
	user.home = br_strdup(&db->arena, fields[5] ? fields[5] : "");
	if (!user.name || !user.home) {
		return -1;
	}
	return br_vec_push(&db->arena, &db->users, user);
}

/** The names of a comma-separated list, NULL at the end. */
static const char *const *read_members(struct br_arena *arena, char *list) {
	br_vec(const char *) members = {0};
	char *next = list;
	while (next) {
		char *comma = strchr(next, ',');
		if (comma) {
			*comma++ = 0;
		}
		const char *name = trim(next);
		next = comma;
		if (!*name) {
			continue;
		}
		const char *copy = br_strdup(arena, name);
		if (!copy || br_vec_push(arena, &members, copy)) {
			return NULL;
		}
	}
	return br_vec_push(arena, &members, NULL) ? NULL : members.v;
}

static int read_group_line(struct br_hostdb *db, char *line) {
	char *fields[4];
	(void)split(line, fields, 4); // absent fields are NULL
	struct br_host_group group = {0};
	if (!is_name(fields[0]) || !read_number(fields[2], BR_NO_ID - 1, &group.gid.v)) {
		return 0;
	}
	group.name = br_strdup(&db->arena, fields[0]);
	group.members = read_members(&db->arena, fields[3]);
	if (!group.name || !group.members) {
		return -1;
	}
	return br_vec_push(&db->arena, &db->groups, group);
}

static int read_range(struct br_hostdb *db, range_vec *ranges, char *line) {
	char *fields[3];
	struct range range = {0};
	if (split(line, fields, 3) != 3 || !*fields[0]
		|| !read_number(fields[1], BR_NO_ID - 1, &range.start)
		|| !read_number(fields[2], BR_NO_ID, &range.count)) {
		return 0;
	}
	range.owner = br_strdup(&db->arena, fields[0]);
	return range.owner ? br_vec_push(&db->arena, ranges, range) : -1;
}

static int read_subuid_line(struct br_hostdb *db, char *line) {
	return read_range(db, &db->subuids, line);
}

static int read_subgid_line(struct br_hostdb *db, char *line) {
	return read_range(db, &db->subgids, line);
}

/** "UID_MIN 1000": a later line replaces an earlier one, a bad value leaves what was there
 * (shadow's def_load). */
static int read_login_line(struct br_hostdb *db, char *line) {
	const struct {
		const char *name;
		uint32_t *value;
	} known[] = {
		{"UID_MIN", &db->limits.uid_min},
		{"UID_MAX", &db->limits.uid_max},
		{"GID_MIN", &db->limits.gid_min},
		{"GID_MAX", &db->limits.gid_max},
	};
	size_t n = strcspn(line, " \t");
	char *value = line + n + strspn(line + n, " \t\"");
	value[strcspn(value, " \t\"")] = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t number;
		if (strlen(known[i].name) == n && memcmp(known[i].name, line, n) == 0
			&& read_number(value, BR_NO_ID - 1, &number)) {
			*known[i].value = number;
		}
	}
	return 0;
}

/** Hand each line to `read`, trimmed; without empty lines, comments, and lines that hold a NUL. */
static int read_lines(struct br_hostdb *db, char *text, size_t len, line_reader *read) {
	char *end = text + len;
	for (char *line = text; line < end;) {
		char *stop = memchr(line, '\n', (size_t)(end - line));
		char *next = stop ? stop + 1 : end;
		if (stop) {
			*stop = 0;
		}
		size_t n = (size_t)((stop ? stop : end) - line);
		bool whole = strlen(line) == n;
		char *trimmed = trim(line);
		line = next;
		if (whole && *trimmed && *trimmed != '#' && read(db, trimmed)) {
			return -1;
		}
	}
	return 0;
}

/* Files. */

/** Open below root, where links are taken as if root were "/". -1 with errno. */
static int open_in_root(int root, const char *path) {
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;
	for (int tries = 0; tries < 32; tries++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
			break;
		}
	}
	if (fd < 0 && errno == ENOSYS) {
		// An old kernel: no link can then be told to stay inside, so none is followed at
		// the end.
		return openat(
			root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	}
	return (int)fd;
}

/** The bytes of a file; NULL with errno, ENOENT where it does not exist. */
static char *read_in_root(int root, const char *path, size_t *len) {
	br_auto(br_closep) int fd = open_in_root(root, path);
	if (fd < 0) {
		if (errno == ENOTDIR) {
			errno = ENOENT;
		}
		return NULL;
	}
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	return br_read_fd(fd, FILE_MAX_BYTES, len);
}

/** "/etc/subuid", with what is before it where that is not "/". */
static const char *shown_name(struct br_arena *arena, const char *sysroot, const char *path) {
	bool slash = sysroot[strlen(sysroot) - 1] == '/';
	return br_printf(arena, "%s%s%s", sysroot, slash ? "" : "/", path);
}

static int keep_text(struct br_arena *arena, const char *bytes, size_t n, struct hostdb_text *out) {
	out->bytes = br_strndup(arena, bytes, n);
	out->n = n;
	return out->bytes ? 0 : -1;
}

/** 0, or -1 with errno. `keep` may be NULL. */
static int read_file(struct br_hostdb *db, int root, const char *path, line_reader *read,
	struct hostdb_text *keep) {
	size_t len = 0;
	br_auto(br_freep) char *text = read_in_root(root, path, &len);
	if (!text) {
		return errno == ENOENT ? 0 : -1;
	}
	if ((keep && keep_text(&db->arena, text, len, keep)) || read_lines(db, text, len, read)) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static int cannot_read(struct br_diags *dx, const char *name) {
	int err = errno;
	return name ? br_error(dx, (struct br_span){0}, "cannot read '%s': %s", name, strerror(err))
		    : br_error_memory(dx);
}

static int open_sysroot(const char *sysroot, struct br_diags *dx) {
	int root = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? br_error(
		       dx, (struct br_span){0}, "cannot open '%s': %s", sysroot, strerror(errno))
			: root;
}

static int read_files(struct br_hostdb *db, struct br_diags *dx) {
	const struct {
		const char *path;
		line_reader *read;
		struct hostdb_text *keep;
	} files[] = {
		{"etc/passwd", read_passwd_line, NULL},
		{"etc/group", read_group_line, NULL},
		{"etc/login.defs", read_login_line, NULL},
		{"etc/subuid", read_subuid_line, &db->subuid_text},
		{"etc/subgid", read_subgid_line, &db->subgid_text},
	};
	br_auto(br_closep) int root = open_sysroot(db->sysroot, dx);
	for (size_t i = 0; root >= 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		int failed = read_file(db, root, files[i].path, files[i].read, files[i].keep);
		if (failed || files[i].keep) {
			int err = errno;
			const char *name = shown_name(&db->arena, db->sysroot, files[i].path);
			errno = err;
			if (failed || !name) {
				return cannot_read(dx, name);
			}
			files[i].keep->name = name;
		}
	}
	return root < 0 ? -1 : 0;
}

const struct hostdb_text *hostdb_subids(const struct br_hostdb *db, bool groups) {
	return groups ? &db->subgid_text : &db->subuid_text;
}

int hostdb_file(const struct br_hostdb *db, struct br_arena *arena, const char *path,
	struct hostdb_text *out, struct br_diags *dx) {
	size_t len = 0;
	*out = (struct hostdb_text){.name = shown_name(arena, db->sysroot, path)};
	br_auto(br_closep) int root = open_sysroot(db->sysroot, dx);
	if (root < 0 || !out->name) {
		return root < 0 ? -1 : br_error_memory(dx);
	}
	br_auto(br_freep) char *text = read_in_root(root, path, &len);
	if (!text) {
		return errno == ENOENT ? 0 : cannot_read(dx, out->name);
	}
	return keep_text(arena, text, len, out) ? br_error_memory(dx) : 0;
}

int hostdb_open(const struct br_hostdb *db, const char *path) {
	br_auto(br_closep) int root = open(db->sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : open_in_root(root, path);
}

const char *hostdb_path(const struct br_hostdb *db, struct br_arena *arena, const char *path) {
	return shown_name(arena, db->sysroot, path + strspn(path, "/"));
}

struct br_hostdb *br_hostdb_read(const char *sysroot, struct br_diags *dx) {
	struct br_hostdb *db = calloc(1, sizeof(*db));
	if (!db) {
		(void)br_error_memory(dx); // it always says -1
		return NULL;
	}
	db->limits = (struct br_id_limits){1000, 60000, 1000, 60000};
	if (!sysroot || !*sysroot) {
		sysroot = "/";
	}
	db->asks = sysroot[strspn(sysroot, "/")] == 0;
	db->sysroot = br_strdup(&db->arena, sysroot);
	if (!db->sysroot ? br_error_memory(dx) : read_files(db, dx)) {
		br_hostdb_freep(&db);
	}
	return db;
}

void br_hostdb_free(struct br_hostdb *db) {
	if (db) {
		br_arena_release(&db->arena);
		free(db);
	}
}

void br_hostdb_freep(struct br_hostdb **db) {
	br_hostdb_free(*db);
	*db = NULL;
}

/* The name service, for what the files lack. */

/** One question: by ID where name is NULL. */
struct question {
	const char *name;
	uint32_t id;
};

/** Asks with a buffer; 0 or an errno, *found tells whether there was an answer, which has been
 * kept. */
typedef int asker(struct br_hostdb *db, const struct question *q, char *buf, size_t n, bool *found);

static int ask_user(
	struct br_hostdb *db, const struct question *q, char *buf, size_t n, bool *found) {
	struct passwd pw;
	struct passwd *answer = NULL;
	int err = q->name ? getpwnam_r(q->name, &pw, buf, n, &answer)
			  : getpwuid_r(q->id, &pw, buf, n, &answer);
	*found = !err && answer;
	if (!*found) {
		return err;
	}
	struct br_host_user *user = BR_NEW(&db->arena, struct br_host_user);
	if (!user) {
		return ENOMEM;
	}
	user->name = br_strdup(&db->arena, pw.pw_name);
	user->home = br_strdup(&db->arena, pw.pw_dir ? pw.pw_dir : "");
	user->uid.v = pw.pw_uid;
	user->gid.v = pw.pw_gid;
	if (!user->name || !user->home || br_vec_push(&db->arena, &db->found_users, user)) {
		return ENOMEM;
	}
	return 0;
}

static const char *const *copy_members(struct br_arena *arena, char *const *members) {
	size_t n = 0;
	while (members && members[n]) {
		n++;
	}
	const char **copy = BR_NEW_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = br_strdup(arena, members[i]);
		if (!copy[i]) {
			return NULL;
		}
	}
	return copy;
}

static int ask_group(
	struct br_hostdb *db, const struct question *q, char *buf, size_t n, bool *found) {
	struct group gr;
	struct group *answer = NULL;
	int err = q->name ? getgrnam_r(q->name, &gr, buf, n, &answer)
			  : getgrgid_r(q->id, &gr, buf, n, &answer);
	*found = !err && answer;
	if (!*found) {
		return err;
	}
	struct br_host_group *group = BR_NEW(&db->arena, struct br_host_group);
	if (!group) {
		return ENOMEM;
	}
	group->name = br_strdup(&db->arena, gr.gr_name);
	group->members = copy_members(&db->arena, gr.gr_mem);
	group->gid.v = gr.gr_gid;
	if (!group->name || !group->members || br_vec_push(&db->arena, &db->found_groups, group)) {
		return ENOMEM;
	}
	return 0;
}

/** Whether the name service knew it; the answer is then the last one found. */
static bool ask(struct br_hostdb *db, const struct question *q, asker *asks) {
	if (!db->asks) {
		return false;
	}
	bool found = false;
	int err = ERANGE;
	for (size_t n = 4096; err == ERANGE && n <= ANSWER_MAX_BYTES; n *= 4) {
		char *buf = malloc(n);
		// A name service that fails is as good as one that does not know.
		err = buf ? asks(db, q, buf, n, &found) : ENOMEM;
		free(buf);
	}
	return found;
}

static bool was_missed(const miss_vec *missed, uint32_t id) {
	for (size_t i = 0; i < missed->n; i++) {
		if (missed->v[i] == id) {
			return true;
		}
	}
	return false;
}

static bool fits(const struct question *q, const char *name, uint32_t id) {
	return q->name ? strcmp(q->name, name) == 0 : q->id == id;
}

static const struct br_host_user *find_user(struct br_hostdb *db, const struct question *q) {
	for (size_t i = 0; i < db->users.n; i++) {
		if (fits(q, db->users.v[i].name, db->users.v[i].uid.v)) {
			return &db->users.v[i];
		}
	}
	for (size_t i = 0; i < db->found_users.n; i++) {
		const struct br_host_user *user = db->found_users.v[i];
		if (user && fits(q, user->name, user->uid.v)) {
			return user;
		}
	}
	size_t known = db->found_users.n;
	if (!ask(db, q, ask_user) || db->found_users.n == known) {
		return NULL;
	}
	return db->found_users.v[known];
}

static const struct br_host_group *find_group(struct br_hostdb *db, const struct question *q) {
	for (size_t i = 0; i < db->groups.n; i++) {
		if (fits(q, db->groups.v[i].name, db->groups.v[i].gid.v)) {
			return &db->groups.v[i];
		}
	}
	for (size_t i = 0; i < db->found_groups.n; i++) {
		if (fits(q, db->found_groups.v[i]->name, db->found_groups.v[i]->gid.v)) {
			return db->found_groups.v[i];
		}
	}
	size_t known = db->found_groups.n;
	if (!ask(db, q, ask_group) || db->found_groups.n == known) {
		return NULL;
	}
	return db->found_groups.v[known];
}

const struct br_host_user *br_hostdb_user(struct br_hostdb *db, br_hostid uid) {
	if (was_missed(&db->missed_users, uid.v)) {
		return NULL;
	}
	const struct br_host_user *user = find_user(db, &(struct question){.id = uid.v});
	if (!user) {
		// Without memory to remember it, it is asked again.
		(void)br_vec_push(&db->arena, &db->missed_users, uid.v);
	}
	return user;
}

const struct br_host_group *br_hostdb_group(struct br_hostdb *db, br_hostid gid) {
	if (was_missed(&db->missed_groups, gid.v)) {
		return NULL;
	}
	const struct br_host_group *group = find_group(db, &(struct question){.id = gid.v});
	if (!group) {
		// Without memory to remember it, it is asked again.
		(void)br_vec_push(&db->arena, &db->missed_groups, gid.v);
	}
	return group;
}

const struct br_host_user *br_hostdb_user_named(struct br_hostdb *db, const char *name) {
	return find_user(db, &(struct question){.name = name});
}

const struct br_host_user *br_hostdb_user_said(struct br_hostdb *db, const char *word) {
	uint32_t uid;
	const struct br_host_user *user = br_hostdb_user_named(db, word);
	if (!user && br_parse_u32(word, BR_NO_ID - 1, &uid) == 0) {
		user = br_hostdb_user(db, (br_hostid){uid});
	}
	return user;
}

const struct br_host_group *br_hostdb_group_named(struct br_hostdb *db, const char *name) {
	return find_group(db, &(struct question){.name = name});
}

size_t br_hostdb_users(struct br_hostdb *db, const struct br_host_user **users) {
	*users = db->users.v;
	return db->users.n;
}

/* Credentials. */

typedef br_vec(br_hostid) hostid_vec;

static bool is_member(const struct br_host_group *group, const char *name) {
	for (const char *const *member = group->members; *member; member++) {
		if (strcmp(*member, name) == 0) {
			return true;
		}
	}
	return false;
}

/** The groups by the files. */
static int add_file_groups(struct br_hostdb *db, struct br_arena *arena,
	const struct br_host_user *user, hostid_vec *groups) {
	for (size_t i = 0; i < db->groups.n; i++) {
		if (is_member(&db->groups.v[i], user->name)
			&& br_vec_push(arena, groups, db->groups.v[i].gid)) {
			return -1;
		}
	}
	return 0;
}

/** The groups by the name service: what a login would get. */
static int add_login_groups(
	struct br_arena *arena, const struct br_host_user *user, hostid_vec *groups) {
	int n = 64;
	br_auto(br_freep) gid_t *gids = NULL;
	for (int tries = 0; tries < 4; tries++) {
		int room = n;
		gid_t *more = reallocarray(gids, (size_t)room, sizeof(*gids));
		if (!more) {
			return -1;
		}
		gids = more;
		if (getgrouplist(user->name, user->gid.v, gids, &n) >= 0) {
			break;
		}
		n = n > room ? n : room * 4;
		if (tries == 3) {
			n = 0;
		}
	}
	for (int i = 0; i < n; i++) {
		if (br_vec_push(arena, groups, (br_hostid){gids[i]})) {
			return -1;
		}
	}
	return 0;
}

static int compare_ids(const void *a, const void *b) {
	uint32_t x = ((const br_hostid *)a)->v;
	uint32_t y = ((const br_hostid *)b)->v;
	return (x > y) - (x < y);
}

static void sort_ids(hostid_vec *ids) {
	size_t n = 0;
	if (ids->n) {
		qsort(ids->v, ids->n, sizeof(*ids->v), compare_ids);
	}
	for (size_t i = 0; i < ids->n; i++) {
		if (n == 0 || ids->v[i].v != ids->v[n - 1].v) {
			ids->v[n++] = ids->v[i];
		}
	}
	ids->n = n;
}

int br_hostdb_cred(struct br_hostdb *db, struct br_arena *arena, const struct br_host_user *user,
	struct br_cred *out) {
	hostid_vec groups = {0};
	if (br_vec_push(arena, &groups, user->gid) || add_file_groups(db, arena, user, &groups)
		|| (db->asks && add_login_groups(arena, user, &groups))) {
		errno = ENOMEM;
		return -1;
	}
	sort_ids(&groups);
	*out = (struct br_cred){
		.uid = user->uid,
		.gid = user->gid,
		.groups = groups.v,
		.ngroups = groups.n,
		.caps = user->uid.v == 0 ? br_caps_all() : 0,
		.umask = LOGIN_UMASK,
	};
	return 0;
}

struct br_id_limits br_hostdb_limits(const struct br_hostdb *db) {
	return db->limits;
}

static const char *range_owner(const range_vec *ranges, uint32_t id) {
	for (size_t i = 0; i < ranges->n; i++) {
		const struct range *range = &ranges->v[i];
		if (id >= range->start && id - range->start < range->count) {
			return range->owner;
		}
	}
	return NULL;
}

const char *br_hostdb_subuid_owner(const struct br_hostdb *db, br_hostid uid) {
	return range_owner(&db->subuids, uid.v);
}

const char *br_hostdb_subgid_owner(const struct br_hostdb *db, br_hostid gid) {
	return range_owner(&db->subgids, gid.v);
}
