/*
 * Which bind mounts of a compose project its containers cannot use, and what the least change would
 * be.
 *
 *   mounts [DIRECTORY]
 *
 * Exit status: 0 all fit, 1 some do not, 2 the project cannot be read. Nothing is changed: that
 * would be br_apply_run().
 */
#include <bindright/arena.h>
#include <bindright/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* What each stage made; later ones point into earlier ones, so they are freed from the bottom up. */
struct project {
	struct br_places *places;
	struct br_diags *dx;
	struct br_arena *arena;
	struct br_spec *spec;
	const struct br_image *images;
	const struct br_identity *identities;
	struct br_hostdb *hostdb;
	struct br_acls *acls;
	struct br_demands *demands;
	struct br_plan_options options;
	struct br_plan *plan;
	struct br_check *check;
};

static void release(struct project *p) {
	br_check_free(p->check);
	br_plan_free(p->plan);
	br_demands_free(p->demands);
	br_acls_free(p->acls);
	br_hostdb_free(p->hostdb);
	br_spec_free(p->spec);
	br_arena_free(p->arena);
	br_diags_free(p->dx);
	br_places_free(p->places);
}

/* From the text to who will be there: 0, or -1 with errors in p->dx. */
static int understand(struct project *p, const char *directory) {
	struct br_spec_request request = {
		.cwd = directory,
		.environment = (const char *const *)environ,
		.home = getenv("HOME"),
	};
	p->spec = br_spec_read(&request, p->dx);
	if (!p->spec) {
		return -1;
	}
	/* With .socket the engine would be asked, too. */
	struct br_image_options where = {0};
	struct br_engine_request engine = {
		.input = p->spec->engine,
		.invoker = {getuid()},
	};
	struct br_identity_options who = {0};
	who.images = br_images_read(p->arena, p->spec, &where, p->dx);
	p->images = who.images;
	p->hostdb = br_hostdb_read("/", p->dx);
	if (!p->images || !p->hostdb) {
		return -1;
	}
	who.mode = br_engine_mode_read(p->arena, &engine, p->hostdb, p->dx);
	if (!who.mode) {
		return -1;
	}
	p->identities = br_identify(p->arena, p->spec, &who, p->dx);
	return p->identities ? 0 : -1;
}

/* Everything that is mounted, judged; the plan watches while the check walks. */
static int judge(struct project *p) {
	struct br_demand_options what = {.trusted = getuid()};
	p->acls = br_acls_new();
	p->demands = br_demands_make(p->spec, p->identities, &what, p->dx);
	if (!p->acls || !p->demands) {
		return -1;
	}
	struct br_plan_input input = {
		.spec = p->spec,
		.identities = p->identities,
		.demands = p->demands,
		.hostdb = p->hostdb,
		.acls = p->acls,
	};
	p->options = (struct br_plan_options){
		.create_missing = true,
		.caller = {geteuid()},
		.caller_gid = {getegid()},
	};
	p->plan = br_plan_new(&input, &p->options, p->dx);
	if (!p->plan) {
		return -1;
	}
	struct br_check_input facts = {
		.spec = p->spec,
		.identities = p->identities,
		.images = p->images,
		.demands = p->demands,
		.hostdb = p->hostdb,
		.acls = p->acls,
	};
	struct br_check_options how = {
		.depth = ~0U,
		.watch = {br_plan_see, p->plan, BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
			false},
	};
	p->check = br_check_run(&facts, &how, p->dx);
	return p->check ? br_plan_settle(p->plan, p->dx) : -1;
}

static void tell(const struct project *p) {
	for (size_t i = 0; i < p->demands->nmounts; i++) {
		const struct br_mount_result *mount = &p->check->mounts[i];
		char need[4];
		char have[4];
		printf("%s: %s needs %s of %s and has %s\n", mount->fits ? "fits" : "misfit",
			mount->mount->container->name.s, br_perm_text(mount->need, need),
			mount->mount->source->path, br_perm_text(mount->have, have));
	}
	for (size_t i = 0; i < p->check->nfindings; i++) {
		const struct br_finding *finding = &p->check->findings[i];
		struct br_position at = {.file = "-"};
		(void)br_places_find(p->places, finding->at, &at);
		printf("BR%u: %s:%u: %s\n", finding->code, at.file, (unsigned)at.line,
			finding->message);
	}
	for (size_t i = 0; i < p->plan->nactions; i++) {
		const struct br_action *action = &p->plan->actions[i];
		printf("would %s %s: %s\n", br_action_name(action->kind),
			action->path ? action->path : "", action->to);
	}
	for (size_t i = 0; i < p->plan->ngains; i++) {
		char to[4];
		printf("gains: %s %s\n", p->plan->gains[i].principal,
			br_perm_text(p->plan->gains[i].to, to));
	}
}

/* What went wrong, with the line and the caret. */
static void complain(const struct project *p) {
	for (size_t i = 0; p->dx && i < br_diags_count(p->dx); i++) {
		char *text = br_diag_render(p->places, br_diags_get(p->dx, i), "mounts", false);
		fputs(text ? text : "out of memory\n", stderr);
		free(text);
	}
}

int main(int argc, char **argv) {
	struct project p = {0};
	int status = 2;
	char *directory = realpath(argc > 1 ? argv[1] : ".", NULL);
	if (!directory) {
		perror("mounts");
		return 2;
	}
	p.places = br_places_new();
	p.dx = p.places ? br_diags_new(p.places) : NULL;
	p.arena = br_arena_new();
	if (p.dx && p.arena && understand(&p, directory) == 0 && judge(&p) == 0) {
		tell(&p);
		status = p.check->errors > 0;
	}
	complain(&p);
	release(&p);
	free(directory);
	return fflush(stdout) ? 2 : status;
}
