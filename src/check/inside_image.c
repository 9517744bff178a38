/** Findings about the container's own file system: mounts that it cannot reach, and places where
 * its image writes without being able to. */
#include "inside.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

static struct br_span place_of(const struct br_container *container) {
	return container->user.s   ? container->user.at
		: container->build ? container->build->at
				   : container->name.at;
}

/** A finding about a path of the container that is none of the host's. */
static struct br_finding *add_inside(const struct inside *in, br_code_number code, const char *path,
	struct br_span at, const char *message) {
	struct about about = {.container = in->container,
		.identity = in->identity,
		.path = path,
		.at = at.text ? at : place_of(in->container)};
	struct br_finding *finding = add_finding(in->work, code, &about, "%s", message);
	finding->path = NULL;
	return finding;
}

// ---- why ----

static const char *say_mode(const struct inside *in, const struct obstacle *obstacle) {
	return say(in->work, "its owner is %u, its group %u, its mode %04o", obstacle->inode.uid.v,
		obstacle->inode.gid.v, obstacle->inode.mode & 07777);
}

static const char *say_origin(const struct inside *in, const struct br_image_node *node) {
	switch (node->origin) {
	case BR_IMAGE_ARCHIVE:
		return say(in->work, "in the image archive %s", in->image->from);
	case BR_IMAGE_DOCKERFILE:
		return "by the Dockerfile";
	case BR_IMAGE_KNOWN:
		return "as images of this distribution have it";
	case BR_IMAGE_NOTHING:
	case BR_IMAGE_HOST:
	case BR_IMAGE_ENGINE:
		break;
	}
	return "in the image";
}

static const char *say_obstacle(const struct inside *in, const struct obstacle *obstacle) {
	if (obstacle->read_only) {
		return "the container's root file system is read-only (read_only: true)";
	}
	const char *whose = obstacle->node ? say_origin(in, obstacle->node)
		: obstacle->mount->kind == BR_MOUNT_TMPFS
		? "a tmpfs takes the mode of the image's directory, and root as its owner"
		: "in the mount around it";
	return say(in->work, "'%s': %s (%s)", obstacle->path, say_mode(in, obstacle), whose);
}

// ---- BR109 ----

static const char *advise_way(const struct inside *in, const struct obstacle *obstacle) {
	if (obstacle->mount && obstacle->mount->kind == BR_MOUNT_TMPFS) {
		return say(in->work,
			"chmod o+x '%s' in the image, or mount the tmpfs where it has no directory",
			obstacle->path);
	}
	if (obstacle->mount) {
		return say(in->work, "let uid %u enter the source of '%s': bindright fix",
			in->identity->cred.uid.v, obstacle->mount->target.s);
	}
	return "mount it at a path that the user can reach, such as /data, and name that path to "
	       "the program (HOME, HF_HOME, …)";
}

static const struct br_obstacle *keep_obstacle(
	const struct inside *in, const struct obstacle *obstacle) {
	struct br_obstacle *out = BR_NEW(in->work->check->arena, struct br_obstacle);
	if (!out) {
		in->work->failed = true;
		return NULL;
	}
	*out = (struct br_obstacle){.path = obstacle->path,
		.inode = obstacle->inode,
		.of_image = obstacle->node != NULL || obstacle->mount->kind == BR_MOUNT_TMPFS};
	return out;
}

static void check_way(const struct inside *in, struct mount_work *mw) {
	const struct br_mount_source *ms = mw->result.mount;
	struct about about = about_mount(ms);
	struct obstacle obstacle;
	if (way_to_mount(in, ms->mount, &obstacle) != WAY_BLOCKED) {
		return;
	}
	struct br_finding *finding = add_finding(in->work, 109, &about,
		"the container cannot reach '%s': uid %u may not enter '%s'", ms->mount->target.s,
		in->identity->uid.v, obstacle.path);
	finding->because = say_obstacle(in, &obstacle);
	finding->advice = advise_way(in, &obstacle);
	finding->verdict = obstacle.verdict;
	finding->obstacle = keep_obstacle(in, &obstacle);
	mw->result.fits = false;
}

// ---- BR601 ----

/** The last part of a path, or the one below a system directory, tells that something is to be
 * written there. */
static bool is_for_data(const char *path) {
	static const char *const names[] = {"log", "logs", "data", "cache", ".cache", "tmp", "temp",
		"run", "upload", "uploads", "output", "outputs", "out", "result", "results",
		"state", "db", "database", "storage", "store", "media", "session", "sessions",
		"spool", "work", "checkpoint", "checkpoints", "artifacts", "mlruns", "pid", "pids",
		"download", "downloads", "backup", "backups", "queue"};
	static const char *const tops[] = {
		"/var/log/", "/var/lib/", "/var/cache/", "/var/run/", "/run/", "/var/spool/"};
	static const char *const others[] = {"/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt",
		"/run/secrets", "/run/sshd", "/run/lock", "/etc/", "/usr/", "/tmp/", "/dev/",
		"/root"};
	const char *name = strrchr(path, '/') + 1;
	bool yes = false;
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		yes = yes || !strncmp(path, tops[i], strlen(tops[i]));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		yes = yes || !strcmp(name, names[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		yes = yes && strncmp(path, others[i], strlen(others[i])) != 0;
	}
	return yes;
}

/** What helps: `is_file`, because a file was named. */
static const char *advise_writing(const struct inside *in, const char *path, bool is_file) {
	if (is_file) {
		return "name a file in a directory that the user can write, such as /tmp";
	}
	return in->image->origin == BR_IMAGE_DOCKERFILE
		? say(in->work, "before USER in the Dockerfile: RUN mkdir -p %s && chown %u:%u %s",
			path, in->identity->uid.v, in->identity->gid.v, path)
		: "mount a directory of the user's there, or chown it in an image of your own";
}

static struct br_finding *report_unwritable(const struct inside *in, const char *path,
	struct br_span at, const char *why, const struct obstacle *obstacle) {
	struct br_finding *finding = add_inside(in, 601, path, at,
		say(in->work, "%s '%s', and uid %u cannot write there", why, path,
			in->identity->uid.v));
	finding->because = say_obstacle(in, obstacle);
	finding->advice = advise_writing(in, path, false);
	finding->verdict = obstacle->verdict;
	return finding;
}

/** A path that is looked at already does not get two findings. */
static bool is_told(const struct inside *in, const char *path) {
	for (size_t i = 0; i < in->image->nvolumes; i++) {
		if (!strcmp(in->image->volumes[i].s, path)) {
			return true;
		}
	}
	return false;
}

static void check_volumes(const struct inside *in) {
	for (size_t i = 0; i < in->image->nvolumes; i++) {
		const struct br_text *volume = &in->image->volumes[i];
		struct obstacle obstacle;
		if (*volume->s == '/' && !is_mounted(in, inside_path(in, volume->s), true)
			&& way_to_write(in, volume->s, false, &obstacle) == WAY_BLOCKED) {
			(void)report_unwritable(in, volume->s, volume->at,
				"the image keeps data in its VOLUME", &obstacle);
		}
	}
}

/** Directories that were made to be filled later. */
static void check_empty(const struct inside *in) {
	for (size_t i = 0; i < in->image->nnodes; i++) {
		const struct br_image_node *node = &in->image->nodes[i];
		struct obstacle obstacle;
		if (!node->is_empty || node->origin != BR_IMAGE_DOCKERFILE
			|| !is_for_data(node->path) || is_told(in, node->path)
			|| in->container->read_only || is_mounted(in, node->path, true)) {
			continue;
		}
		if (way_to_write(in, node->path, false, &obstacle) == WAY_BLOCKED) {
			(void)report_unwritable(in, node->path, node->at,
				"the Dockerfile makes the empty directory", &obstacle);
		}
	}
}

/** Variables that name a directory, or a file, to be written. */
static bool names_place(const char *name, size_t n, bool *is_file) {
	static const struct {
		const char *end;
		bool is_file;
	} ends[] = {{"LOG_DIR", false}, {"LOGS_DIR", false}, {"LOGDIR", false},
		{"CACHE_DIR", false}, {"OUTPUT_DIR", false}, {"UPLOAD_DIR", false},
		{"UPLOAD_FOLDER", false}, {"CHECKPOINT_DIR", false}, {"LOG_FILE", true},
		{"PIDFILE", true}, {"PID_FILE", true}};
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t len = strlen(ends[i].end);
		if (n >= len && !strncmp(name + n - len, ends[i].end, len)
			&& (n == len || name[n - len - 1] == '_')) {
			*is_file = ends[i].is_file;
			return true;
		}
	}
	return false;
}

static void check_variables(const struct inside *in) {
	for (size_t i = 0; i < in->image->nenvironment; i++) {
		const char *entry = in->image->environment[i];
		size_t n = strcspn(entry, "=");
		bool is_file = false;
		bool unsure = false;
		struct obstacle obstacle;
		const char *value = names_place(entry, n, &is_file)
			? inside_variable(in, entry, n, &unsure)
			: NULL;
		const struct br_image_node *node =
			value ? br_image_node_at(in->image, value) : NULL;
		if (!value || *value != '/' || unsure || !strncmp(value, "/dev/", 5)
			|| is_told(in, value) || (node && node->is_empty && is_for_data(value))
			|| in->container->read_only) {
			continue;
		}
		if (way_to_write(in, value, is_file, &obstacle) == WAY_BLOCKED) {
			report_unwritable(in, value, (struct br_span){0},
				say(in->work, "%.*s is", (int)n, entry), &obstacle)
				->advice = advise_writing(in, value, is_file);
		}
	}
}

// ---- BR602 ----

/** The home directory of the process; NULL: not known. */
static const char *find_home(const struct inside *in) {
	bool unsure = false;
	const char *home = inside_variable(in, "HOME", 4, &unsure);
	if (home || unsure) {
		return home && *home == '/' ? home : NULL;
	}
	const struct br_image *image = in->image;
	for (size_t i = 0; i < image->nusers; i++) {
		if (image->users[i].uid == in->identity->uid.v) {
			return image->users[i].home;
		}
	}
	// Who is in no passwd has the root for a home.
	bool nobody = image->accounts_complete
		|| (image->accounts_named && in->identity->uid.v >= 1000
			&& in->identity->uid.v != 65534);
	return nobody ? "/" : NULL;
}

static const char *find_directory(const struct inside *in) {
	const char *word = in->container->working_dir.s;
	// Of another input nobody has read it.
	bool known = in->work->input->spec->kind == BR_INPUT_COMPOSE;
	return word && *word == '/' ? word : word || !known ? NULL : in->image->workdir;
}

/** "$HOME/x" and "$PWD/x"; NULL: not known. */
static const char *expand(const struct inside *in, const char *path) {
	const char *top = NULL;
	if (*path == '/') {
		return path;
	}
	if (!strncmp(path, "$HOME", 5)) {
		top = find_home(in);
		path += 5;
	} else if (!strncmp(path, "$PWD", 4)) {
		top = find_directory(in);
		path += 4;
	}
	return top ? say(in->work, "%s%s", strcmp(top, "/") ? top : "", path) : NULL;
}

/** What the variables of a list say: the first that is set, with what stands behind it. NULL: none
 * of them; *unsure: a value is not known. */
static const char *by_variables(const struct inside *in, const char *list, bool *unsure) {
	for (const char *s = list; s && *s;) {
		size_t n = strcspn(s, "|");
		size_t name = strcspn(s, "/|");
		const char *value = inside_variable(in, s, name, unsure);
		if (value && *value) {
			return say(in->work, "%s%.*s", value, (int)(n - name), s + name);
		}
		s += n + (s[n] == '|');
	}
	return NULL;
}

/** Where it writes; NULL: nowhere, or nobody knows. */
static const char *place(const struct inside *in, const struct br_image_library *item, size_t i) {
	const struct br_library_path *path = &item->library->paths[i];
	bool unsure = false;
	const char *set = by_variables(in, path->variables, &unsure);
	const char *configured = item->configured[i];
	if (unsure || !path->path || (configured && !*configured)) {
		return NULL;
	}
	if (set) {
		return *set == '/' ? set : NULL;
	}
	return expand(in, configured ? configured : path->path);
}

static bool has_variable(const struct inside *in, const char *list) {
	bool unsure = false;
	return by_variables(in, list, &unsure) || unsure;
}

/** Its configuration is not the image's. */
static bool is_configured_by_mount(const struct inside *in, const struct br_library *library) {
	for (const char *s = library->config; s && *s;) {
		size_t n = strcspn(s, "|");
		if (is_mounted(in, inside_path(in, say(in->work, "%.*s", (int)n, s)), false)) {
			return true;
		}
		s += n + (s[n] == '|');
	}
	return false;
}

static bool is_in_use(const struct inside *in, const struct br_image_library *item) {
	const struct br_library *library = item->library;
	bool replaced = in->container->has_command || in->container->has_entrypoint;
	return !(library->by_command && replaced) && !item->config_unknown
		&& !has_variable(in, library->unless) && !is_configured_by_mount(in, library);
}

/** Where engines put a tmpfs without being asked: /dev always, Podman these where the root is
 * read-only. */
static bool has_tmpfs(const char *path) {
	static const char *const tops[] = {"/dev/", "/run/", "/tmp/", "/var/tmp/"};
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		if (!strncmp(path, tops[i], strlen(tops[i]))) {
			return true;
		}
	}
	return false;
}

static enum way way_of_library(
	const struct inside *in, const char *path, bool is_file, struct obstacle *out) {
	const char *real = inside_path(in, path);
	*out = (struct obstacle){0};
	if (in->container->read_only && !is_mounted(in, real, false)) {
		out->read_only = true;
		return has_tmpfs(real) ? WAY_UNKNOWN : WAY_BLOCKED;
	}
	return way_to_write(in, path, is_file, out);
}

/** One finding for all that it cannot write. */
static void check_library(const struct inside *in, const struct br_image_library *item) {
	const struct br_library *library = item->library;
	struct obstacle first = {0};
	const char *places = NULL;
	const char *path = NULL;
	for (size_t i = 0; is_in_use(in, item) && i < BR_LIBRARY_PATHS; i++) {
		const char *at = place(in, item, i);
		struct obstacle obstacle;
		if (!at
			|| way_of_library(in, at, library->paths[i].is_file, &obstacle)
				!= WAY_BLOCKED) {
			continue;
		}
		first = places ? first : obstacle;
		path = places ? path : at;
		places = say(in->work, "%s%s%s '%s'", places ? places : "", places ? ", " : "",
			library->paths[i].what, at);
	}
	if (!places) {
		return;
	}
	struct br_finding *finding = add_inside(in, 602, path, item->at,
		say(in->work, "uid %u cannot write what %s writes: %s", in->identity->uid.v,
			library->name, places));
	finding->because = say(in->work, "%s; %s; then %s (%s)", say_obstacle(in, &first),
		item->evidence, library->effect, library->source);
	finding->advice = library->advice;
	finding->verdict = first.verdict;
}

/** Libraries that only a variable speaks of. */
static void check_named_libraries(const struct inside *in) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	for (size_t i = 0; i < n; i++) {
		bool known = !all[i].own;
		for (size_t k = 0; k < in->image->nlibraries; k++) {
			known = known || in->image->libraries[k].library == &all[i];
		}
		bool unsure = false;
		const char *set = known ? NULL : by_variables(in, all[i].own, &unsure);
		if (set) {
			struct br_image_library item = {.library = &all[i],
				.evidence = say(in->work, "a variable of its own is set: %s", set)};
			check_library(in, &item);
		}
	}
}

// ---- all ----

static bool is_judged(const struct br_identity *identity) {
	return identity->confidence != BR_UNKNOWN && !identity->unmapped;
}

void check_images(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	struct inside in;
	for (size_t i = 0; i < work->input->spec->n && !work->stop; i++) {
		const struct br_identity *identity = &work->input->identities[i];
		// An entrypoint that drops puts its house in order before.
		if (!is_judged(identity) || identity->drops_to
			|| inside_begin(&in, work, i, identity)) {
			continue;
		}
		check_volumes(&in);
		check_empty(&in);
		check_variables(&in);
		for (size_t k = 0; k < in.image->nlibraries; k++) {
			check_library(&in, &in.image->libraries[k]);
		}
		check_named_libraries(&in);
	}
	for (size_t i = 0; i < demands->nmounts && !work->stop; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		size_t box = (size_t)(ms->container - work->input->spec->containers);
		const struct br_identity *identity =
			ms->demand ? ms->demand->identity : ms->identity;
		if (is_judged(identity) && !inside_begin(&in, work, box, identity)) {
			check_way(&in, &work->mounts[i]);
		}
	}
}
