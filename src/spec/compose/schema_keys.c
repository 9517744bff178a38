/** Compose's own schema, as far as it is the same in all versions that were measured; newer keys
 * are taken whatever the version. */
#include "schema.h"

#include <string.h>

static const struct br_rule string = {.kinds = BR_STR};
static const struct br_rule scalar = {.kinds = BR_STR | BR_NUM};
static const struct br_rule option = {.kinds = BR_STR | BR_NUM | BR_NUL};
static const struct br_rule pair = {.kinds = BR_WORD | BR_NUL};

/* Kinds that many keys share. */
#define TEXT .kinds = BR_STR
#define STRINGS .kinds = BR_SEQ, .item = &string
#define ONE_OR_MORE .kinds = BR_STR | BR_SEQ, .item = &string
#define PAIRS .kinds = BR_SEQ | BR_MAP, .item = &string, .value = &pair
#define OPTIONS .kinds = BR_MAP, .value = &scalar
#define SWITCH .kinds = BR_YES, .cast = BR_CAST_BOOL
/* A switch that is looked at later on, where its place is known. */
#define LATE_SWITCH .kinds = BR_YES
#define INTEGER .kinds = BR_INT | BR_STR, .cast = BR_CAST_INT
#define NUMBER .kinds = BR_NUM | BR_STR, .cast = BR_CAST_INT
#define RATIO .kinds = BR_NUM | BR_STR, .cast = BR_CAST_FLOAT
#define BYTES .kinds = BR_NUM | BR_STR, .form = BR_FORM_BYTES
#define DURATION .kinds = BR_STR, .form = BR_FORM_DURATION
#define COMMAND .kinds = BR_NUL | BR_STR | BR_SEQ, .item = &string, .form = BR_FORM_COMMAND
#define LEVEL(name) .kinds = BR_MAP, .level = &(name)

/* ---- volumes ---- */

static const struct br_key bind_keys[] = {
	{"propagation", {TEXT}},
	{"create_host_path", {LATE_SWITCH}},
	{"recursive", {TEXT}},
	{"selinux", {TEXT}},
	{0},
};
static const struct br_key mount_volume_keys[] = {
	{"nocopy", {SWITCH}},
	{"subpath", {TEXT}},
	{"labels", {PAIRS, .once = true}},
	{0},
};
static const struct br_key mount_tmpfs_keys[] = {
	{"size", {.kinds = BR_INT | BR_STR, .form = BR_FORM_BYTES, .high = INT64_MAX}},
	{"mode", {.kinds = BR_NUM, .high = UINT32_MAX}},
	{0},
};
static const struct br_key mount_image_keys[] = {
	{"subpath", {TEXT}},
	{0},
};
static const struct br_level bind_level = {.strict = true, .keys = bind_keys};
static const struct br_level mount_volume_level = {.strict = true, .keys = mount_volume_keys};
static const struct br_level mount_tmpfs_level = {.strict = true, .keys = mount_tmpfs_keys};
static const struct br_level mount_image_level = {.strict = true, .keys = mount_image_keys};

static const struct br_key mount_keys[] = {
	{"type", {TEXT}},
	{"source", {TEXT}},
	{"target", {TEXT}},
	{"read_only", {LATE_SWITCH}},
	{"consistency", {TEXT}},
	{"bind", {LEVEL(bind_level)}},
	{"volume", {LEVEL(mount_volume_level)}},
	{"tmpfs", {LEVEL(mount_tmpfs_level)}},
	{"image", {LEVEL(mount_image_level)}},
	{0},
};
static const char *const mount_needs[] = {"type", NULL};
static const struct br_level mount_level = {.strict = true,
	.keys = mount_keys,
	.needs = mount_needs};
const struct br_rule br_schema_volume = {.kinds = BR_STR | BR_MAP, .level = &mount_level};

static const struct br_key grant_keys[] = {
	{"source", {TEXT}},
	{"target", {TEXT}},
	{"uid", {TEXT}},
	{"gid", {TEXT}},
	{"mode", {.kinds = BR_STR | BR_INT, .form = BR_FORM_MODE}},
	{0},
};
static const char *const grant_needs[] = {"source", NULL};
static const struct br_level grant_level = {.strict = true,
	.keys = grant_keys,
	.needs = grant_needs};
static const struct br_rule grant = {.kinds = BR_STR | BR_MAP, .level = &grant_level};

/* ---- build ---- */

static const struct br_key limit_keys[] = {
	{"hard", {INTEGER}},
	{"soft", {INTEGER}},
	{0},
};
static const char *const limit_needs[] = {"soft", "hard", NULL};
static const struct br_level limit_level = {.merged = true,
	.keys = limit_keys,
	.needs = limit_needs};
static const struct br_rule limit = {.kinds = BR_INT | BR_STR | BR_MAP,
	.cast = BR_CAST_INT,
	.level = &limit_level};

/* Those of a build are not replaced by numbers where they are strings. */
static const struct br_key build_limit_keys[] = {
	{"hard", {.kinds = BR_INT}},
	{"soft", {.kinds = BR_INT}},
	{0},
};
static const struct br_level build_limit_level = {.merged = true,
	.keys = build_limit_keys,
	.needs = limit_needs};
static const struct br_rule build_limit = {.kinds = BR_INT | BR_MAP, .level = &build_limit_level};

static const struct br_rule addresses = {.kinds = BR_STR | BR_SEQ, .item = &string};
static const struct br_rule host = {.kinds = BR_STR, .form = BR_FORM_HOST};
#define HOSTS .kinds = BR_SEQ | BR_MAP, .item = &host, .value = &addresses, .once = true

static const struct br_rule named_context = {.kinds = BR_STR, .form = BR_FORM_PAIR};
static const struct br_rule ssh_key = {.kinds = BR_STR, .form = BR_FORM_SSH};

static const struct br_key build_keys[] = {
	{"context", {TEXT}},
	{"dockerfile", {TEXT}},
	{"dockerfile_inline", {TEXT}},
	{"target", {TEXT}},
	{"args", {.kinds = BR_SEQ | BR_MAP, .item = &string, .value = &pair}},
	{"additional_contexts", {.kinds = BR_SEQ | BR_MAP, .item = &named_context, .value = &pair}},
	{"cache_from", {STRINGS}},
	{"cache_to", {STRINGS}},
	{"entitlements", {STRINGS}},
	{"extra_hosts", {HOSTS}},
	{"isolation", {TEXT}},
	{"labels", {PAIRS}},
	{"network", {TEXT}},
	{"no_cache", {SWITCH}},
	{"no_cache_filter", {ONE_OR_MORE}},
	{"platforms", {STRINGS}},
	{"privileged", {SWITCH}},
	{"provenance", {.kinds = BR_YES}},
	{"pull", {SWITCH}},
	{"sbom", {.kinds = BR_YES}},
	{"secrets", {.kinds = BR_SEQ, .item = &grant}},
	{"shm_size", {.kinds = BR_INT | BR_STR, .form = BR_FORM_BYTES}},
	{"ssh", {.kinds = BR_SEQ | BR_MAP, .item = &ssh_key, .value = &pair, .once = true}},
	{"tags", {STRINGS}},
	{"ulimits", {.kinds = BR_MAP, .value = &build_limit}},
	{0},
};
static const struct br_level build_level = {.strict = true, .keys = build_keys};

/* ---- parts of a service ---- */

static const struct br_key extends_keys[] = {
	{"service", {TEXT}},
	{"file", {TEXT}},
	{0},
};
static const char *const extends_needs[] = {"service", NULL};
static const struct br_level extends_level = {.strict = true,
	.keys = extends_keys,
	.needs = extends_needs};

static const struct br_key throttle_keys[] = {
	{"path", {TEXT}},
	{"rate", {.kinds = BR_INT | BR_STR, .form = BR_FORM_BYTES}},
	{0},
};
static const struct br_key weight_keys[] = {
	{"path", {TEXT}},
	{"weight", {.kinds = BR_INT, .high = UINT16_MAX}},
	{0},
};
static const struct br_level throttle_level = {.keys = throttle_keys};
static const struct br_level weight_level = {.keys = weight_keys};
static const struct br_rule throttle = {LEVEL(throttle_level)};
static const struct br_rule weight = {LEVEL(weight_level)};
#define THROTTLES .kinds = BR_SEQ, .item = &throttle
static const struct br_key blkio_keys[] = {
	{"device_read_bps", {THROTTLES}},
	{"device_read_iops", {THROTTLES}},
	{"device_write_bps", {THROTTLES}},
	{"device_write_iops", {THROTTLES}},
	{"weight", {.kinds = BR_INT, .high = UINT16_MAX}},
	{"weight_device", {.kinds = BR_SEQ, .item = &weight}},
	{0},
};
static const struct br_level blkio_level = {.keys = blkio_keys};

static const struct br_key credential_keys[] = {
	{"config", {TEXT}},
	{"file", {TEXT}},
	{"registry", {TEXT}},
	{0},
};
static const struct br_level credential_level = {.keys = credential_keys};

static const char *const conditions[] = {
	"service_started", "service_healthy", "service_completed_successfully", NULL};
static const struct br_key depends_keys[] = {
	{"restart", {SWITCH}},
	{"required", {.kinds = BR_VALUE_BOOL}},
	{"condition", {TEXT, .words = conditions}},
	{0},
};
static const char *const depends_needs[] = {"condition", NULL};
static const struct br_level depends_level = {.merged = true,
	.keys = depends_keys,
	.needs = depends_needs};
static const struct br_rule depends = {LEVEL(depends_level)};

static const struct br_key device_keys[] = {
	{"source", {TEXT}},
	{"target", {TEXT}},
	{"permissions", {TEXT}},
	{0},
};
static const char *const device_needs[] = {"source", "target", NULL};
static const struct br_level device_level = {.keys = device_keys, .needs = device_needs};
static const struct br_rule device = {.kinds = BR_STR | BR_MAP,
	.level = &device_level,
	.form = BR_FORM_DEVICE};

static const struct br_key env_file_keys[] = {
	{"path", {TEXT}},
	{"format", {TEXT}},
	{"required", {LATE_SWITCH}},
	{0},
};
static const char *const env_file_needs[] = {"path", NULL};
static const struct br_level env_file_level = {.keys = env_file_keys, .needs = env_file_needs};
static const struct br_rule env_file = {.kinds = BR_STR | BR_MAP, .level = &env_file_level};

static const struct br_key healthcheck_keys[] = {
	{"disable", {SWITCH}},
	{"interval", {DURATION}},
	{"retries", {NUMBER, .high = INT64_MAX}},
	{"test", {ONE_OR_MORE}},
	{"timeout", {DURATION}},
	{"start_period", {DURATION}},
	{"start_interval", {DURATION}},
	{0},
};
static const struct br_level healthcheck_level = {.keys = healthcheck_keys};

static const struct br_key logging_keys[] = {
	{"driver", {TEXT}},
	{"options", {.kinds = BR_MAP, .value = &option}},
	{0},
};
static const struct br_level logging_level = {.keys = logging_keys};

static const struct br_rule word = {.kinds = BR_WORD};
static const struct br_rule provided = {.kinds = BR_WORD | BR_SEQ, .item = &word};
static const struct br_key provider_keys[] = {
	{"type", {TEXT}},
	{"options", {.kinds = BR_MAP, .value = &provided}},
	{0},
};
static const char *const provider_needs[] = {"type", NULL};
static const struct br_level provider_level = {.merged = true,
	.keys = provider_keys,
	.needs = provider_needs};

static const struct br_key use_model_keys[] = {
	{"endpoint_var", {TEXT}},
	{"model_var", {TEXT}},
	{0},
};
static const struct br_level use_model_level = {.keys = use_model_keys};
static const struct br_rule use_model = {.kinds = BR_NUL | BR_MAP, .level = &use_model_level};

static const struct br_key use_network_keys[] = {
	{"aliases", {STRINGS}},
	{"interface_name", {TEXT}},
	{"ipv4_address", {TEXT}},
	{"ipv6_address", {TEXT}},
	{"link_local_ips", {STRINGS}},
	{"mac_address", {TEXT}},
	{"driver_opts", {OPTIONS}},
	{"priority", {.kinds = BR_NUM}},
	{"gw_priority", {.kinds = BR_NUM}},
	{0},
};
static const struct br_level use_network_level = {.keys = use_network_keys};
static const struct br_rule use_network = {.kinds = BR_NUL | BR_MAP, .level = &use_network_level};

static const struct br_key port_keys[] = {
	{"name", {TEXT}},
	{"mode", {TEXT}},
	{"host_ip", {TEXT, .form = BR_FORM_ADDRESS}},
	{"target", {INTEGER, .high = UINT32_MAX}},
	{"published", {.kinds = BR_INT | BR_STR}},
	{"protocol", {TEXT}},
	{"app_protocol", {TEXT}},
	{0},
};
static const char *const port_needs[] = {"target", NULL};
static const struct br_level port_level = {.keys = port_keys, .needs = port_needs};
static const struct br_rule port = {
	.kinds = BR_INT | BR_STR | BR_MAP,
	.level = &port_level,
	.form = BR_FORM_PORT,
	.high = UINT16_MAX,
};

static const struct br_key hook_keys[] = {
	{"command", {COMMAND}},
	{"user", {TEXT}},
	{"privileged", {SWITCH}},
	{"working_dir", {TEXT}},
	{"environment", {PAIRS, .once = true}},
	{0},
};
static const char *const hook_needs[] = {"command", NULL};
static const struct br_level hook_level = {.keys = hook_keys, .needs = hook_needs};
static const struct br_rule hook = {LEVEL(hook_level)};
/* Newer than what was measured: only that it is a mapping. */
static const struct br_rule mapping = {.kinds = BR_MAP};

static const char *const actions[] = {
	"rebuild", "sync", "restart", "sync+restart", "sync+exec", NULL};
static const struct br_key watch_keys[] = {
	{"ignore", {ONE_OR_MORE, .unique = true}},
	{"include", {ONE_OR_MORE, .unique = true}},
	{"path", {TEXT, .form = BR_FORM_NOT_EMPTY}},
	{"action", {TEXT, .words = actions}},
	{"target", {TEXT}},
	{"exec", {LEVEL(hook_level)}},
	{"initial_sync", {.kinds = BR_VALUE_BOOL}},
	{0},
};
static const char *const watch_needs[] = {"path", "action", NULL};
static const struct br_level watch_level = {.keys = watch_keys, .needs = watch_needs};
static const struct br_rule watch = {LEVEL(watch_level)};
static const struct br_key develop_keys[] = {
	{"watch", {.kinds = BR_SEQ, .item = &watch}},
	{0},
};
static const struct br_level develop_level = {.keys = develop_keys};

/* ---- deploy ---- */

static const struct br_key request_keys[] = {
	{"capabilities", {STRINGS, .unique = true}},
	{"count", {.kinds = BR_INT | BR_STR, .form = BR_FORM_COUNT}},
	{"device_ids", {STRINGS, .unique = true}},
	{"driver", {TEXT}},
	{"options", {PAIRS, .once = true}},
	{0},
};
static const char *const request_needs[] = {"capabilities", NULL};
static const struct br_level request_level = {.keys = request_keys, .needs = request_needs};
static const struct br_level gpu_level = {.keys = request_keys};
static const struct br_rule request = {LEVEL(request_level)};
static const struct br_rule gpu = {LEVEL(gpu_level)};
static const char *const all_gpus[] = {"all", NULL};

static const struct br_key resource_spec_keys[] = {
	{"kind", {TEXT}},
	{"value", {NUMBER}},
	{0},
};
static const struct br_level resource_spec_level = {.keys = resource_spec_keys};
static const struct br_key generic_keys[] = {
	{"discrete_resource_spec", {LEVEL(resource_spec_level)}},
	{0},
};
static const struct br_level generic_level = {.keys = generic_keys};
static const struct br_rule generic = {LEVEL(generic_level)};

static const struct br_key limits_keys[] = {
	{"cpus", {.kinds = BR_NUM | BR_STR, .form = BR_FORM_CPUS}},
	{"memory", {TEXT, .form = BR_FORM_BYTES}},
	{"pids", {INTEGER}},
	{0},
};
static const struct br_key reservations_keys[] = {
	{"cpus", {.kinds = BR_NUM | BR_STR, .form = BR_FORM_CPUS}},
	{"memory", {TEXT, .form = BR_FORM_BYTES}},
	{"generic_resources", {.kinds = BR_SEQ, .item = &generic}},
	{"devices", {.kinds = BR_SEQ, .item = &request}},
	{0},
};
static const struct br_level limits_level = {.keys = limits_keys};
static const struct br_level reservations_level = {.keys = reservations_keys};
static const struct br_key resources_keys[] = {
	{"limits", {LEVEL(limits_level)}},
	{"reservations", {LEVEL(reservations_level)}},
	{0},
};
static const struct br_level resources_level = {.keys = resources_keys};

static const char *const orders[] = {"start-first", "stop-first", NULL};
static const struct br_key update_keys[] = {
	{"parallelism", {INTEGER, .high = INT64_MAX}},
	{"delay", {DURATION}},
	{"failure_action", {TEXT}},
	{"monitor", {DURATION}},
	{"max_failure_ratio", {RATIO}},
	{"order", {TEXT, .words = orders}},
	{0},
};
static const struct br_level update_level = {.keys = update_keys};
static const struct br_key restart_keys[] = {
	{"condition", {TEXT}},
	{"delay", {DURATION}},
	{"max_attempts", {INTEGER, .high = INT64_MAX}},
	{"window", {DURATION}},
	{0},
};
static const struct br_level restart_level = {.keys = restart_keys};

static const struct br_key preference_keys[] = {
	{"spread", {TEXT}},
	{0},
};
static const struct br_level preference_level = {.keys = preference_keys};
static const struct br_rule preference = {LEVEL(preference_level)};
static const struct br_key placement_keys[] = {
	{"constraints", {STRINGS}},
	{"preferences", {.kinds = BR_SEQ, .item = &preference}},
	{"max_replicas_per_node", {INTEGER, .high = INT64_MAX}},
	{0},
};
static const struct br_level placement_level = {.keys = placement_keys};

static const struct br_key deploy_keys[] = {
	{"mode", {TEXT}},
	{"endpoint_mode", {TEXT}},
	{"replicas", {INTEGER}},
	{"labels", {PAIRS}},
	{"rollback_config", {LEVEL(update_level)}},
	{"update_config", {LEVEL(update_level)}},
	{"resources", {LEVEL(resources_level)}},
	{"restart_policy", {LEVEL(restart_level)}},
	{"placement", {LEVEL(placement_level)}},
	{0},
};
static const struct br_level deploy_level = {.keys = deploy_keys};

/* ---- a service ---- */

static const char *const cgroups[] = {"host", "private", NULL};
static const struct br_rule exposed = {.kinds = BR_STR | BR_INT};
static const struct br_rule group = {.kinds = BR_STR | BR_INT};

static const struct br_key service_keys[] = {
	{"image", {TEXT}},
	{"build", {.kinds = BR_STR | BR_MAP, .level = &build_level}},
	{"user", {TEXT}},
	{"userns_mode", {TEXT}},
	{"network_mode", {TEXT}},
	{"pid", {.kinds = BR_STR | BR_NUL}},
	{"ipc", {TEXT}},
	{"privileged", {LATE_SWITCH}},
	{"read_only", {LATE_SWITCH}},
	{"group_add", {.kinds = BR_SEQ, .item = &group}},
	{"cap_add", {STRINGS}},
	{"cap_drop", {STRINGS}},
	{"security_opt", {STRINGS}},
	{"volumes", {.kinds = BR_SEQ, .item = &br_schema_volume}},
	{"volumes_from", {STRINGS, .unique = true}},
	{"tmpfs", {ONE_OR_MORE}},
	{"secrets", {.kinds = BR_SEQ, .item = &grant}},
	{"configs", {.kinds = BR_SEQ, .item = &grant}},
	{"profiles", {STRINGS}},
	{"extends", {.kinds = BR_STR | BR_MAP, .level = &extends_level}},
	{"depends_on",
		{.kinds = BR_SEQ | BR_MAP, .item = &string, .value = &depends, .once = true}},
	{"env_file", {.kinds = BR_STR | BR_SEQ, .item = &env_file}},
	{"use_api_socket", {.kinds = BR_VALUE_BOOL}},
	{"provider", {LEVEL(provider_level)}},
	{"annotations", {PAIRS}},
	{"attach", {SWITCH}},
	{"blkio_config", {LEVEL(blkio_level)}},
	{"cgroup", {TEXT, .words = cgroups}},
	{"cgroup_parent", {TEXT}},
	{"command", {COMMAND}},
	{"container_name", {TEXT, .form = BR_FORM_NAME}},
	{"cpu_count", {INTEGER, .high = INT64_MAX}},
	{"cpu_percent", {.kinds = BR_INT | BR_STR, .cast = BR_CAST_FLOAT, .high = 100}},
	{"cpu_period", {NUMBER}},
	{"cpu_quota", {NUMBER}},
	{"cpu_rt_period", {NUMBER}},
	{"cpu_rt_runtime", {NUMBER}},
	{"cpu_shares", {NUMBER}},
	{"cpus", {RATIO}},
	{"cpuset", {TEXT}},
	{"credential_spec", {LEVEL(credential_level)}},
	{"deploy", {.kinds = BR_NUL | BR_MAP, .level = &deploy_level}},
	{"develop", {.kinds = BR_NUL | BR_MAP, .level = &develop_level}},
	{"device_cgroup_rules", {STRINGS, .unique = true}},
	{"devices", {.kinds = BR_SEQ, .item = &device}},
	{"dns", {ONE_OR_MORE}},
	{"dns_opt", {STRINGS}},
	{"dns_search", {ONE_OR_MORE}},
	{"domainname", {TEXT}},
	{"entrypoint", {COMMAND}},
	{"environment", {PAIRS}},
	{"expose", {.kinds = BR_SEQ, .item = &exposed}},
	{"external_links", {STRINGS, .unique = true}},
	{"extra_hosts", {HOSTS}},
	{"gpus", {.kinds = BR_STR | BR_SEQ, .item = &gpu, .words = all_gpus}},
	{"healthcheck", {LEVEL(healthcheck_level)}},
	{"hostname", {TEXT}},
	{"init", {SWITCH}},
	{"isolation", {TEXT}},
	{"label_file", {ONE_OR_MORE}},
	{"labels", {PAIRS}},
	{"links", {STRINGS}},
	{"logging", {LEVEL(logging_level)}},
	{"mac_address", {TEXT}},
	{"mem_limit", {BYTES}},
	{"mem_reservation", {.kinds = BR_INT | BR_STR, .form = BR_FORM_BYTES}},
	{"mem_swappiness", {.kinds = BR_INT | BR_STR, .form = BR_FORM_BYTES}},
	{"memswap_limit", {BYTES}},
	{"models", {.kinds = BR_SEQ | BR_MAP, .item = &string, .value = &use_model, .once = true}},
	{"networks",
		{.kinds = BR_SEQ | BR_MAP, .item = &string, .value = &use_network, .once = true}},
	{"oom_kill_disable", {SWITCH}},
	{"oom_score_adj", {INTEGER, .low = -1000, .high = 1000}},
	{"pids_limit", {NUMBER}},
	{"platform", {TEXT}},
	{"ports", {.kinds = BR_SEQ, .item = &port}},
	{"post_start", {.kinds = BR_SEQ, .item = &hook}},
	{"pre_start", {.kinds = BR_SEQ, .item = &mapping}},
	{"pre_stop", {.kinds = BR_SEQ, .item = &hook}},
	{"pull_policy", {TEXT, .form = BR_FORM_PULL}},
	{"pull_refresh_after", {TEXT}},
	{"restart", {TEXT}},
	{"runtime", {TEXT}},
	{"scale", {INTEGER}},
	{"shm_size", {BYTES}},
	{"stdin_open", {SWITCH}},
	{"stop_grace_period", {DURATION}},
	{"stop_signal", {TEXT}},
	{"storage_opt", {.kinds = BR_MAP, .value = &option}},
	{"sysctls", {PAIRS}},
	{"tty", {SWITCH}},
	{"ulimits", {.kinds = BR_MAP, .value = &limit}},
	{"uts", {TEXT}},
	{"working_dir", {TEXT}},
	{0},
};
static const struct br_level service_level = {.keys = service_keys};

/* ---- the top level ---- */

static const struct br_key external_keys[] = {
	{"name", {TEXT}},
	{0},
};
static const struct br_level external_level = {.strict = true, .keys = external_keys};
#define EXTERNAL .kinds = BR_YES | BR_MAP, .cast = BR_CAST_BOOL, .level = &external_level

static const struct br_key volume_keys[] = {
	{"name", {TEXT}},
	{"driver", {TEXT}},
	{"driver_opts", {OPTIONS}},
	{"external", {EXTERNAL}},
	{"labels", {PAIRS, .once = true}},
	{0},
};
static const struct br_level volume_level = {.strict = true, .keys = volume_keys};

static const struct br_key secret_keys[] = {
	{"name", {TEXT}},
	{"file", {TEXT}},
	{"environment", {TEXT}},
	{"external", {.kinds = BR_YES | BR_MAP, .cast = BR_CAST_BOOL}},
	{"labels", {PAIRS, .once = true}},
	{"driver", {TEXT}},
	{"driver_opts", {OPTIONS}},
	{"template_driver", {TEXT}},
	{0},
};
static const struct br_level secret_level = {.strict = true, .keys = secret_keys};

static const struct br_key config_keys[] = {
	{"name", {TEXT}},
	{"file", {TEXT}},
	{"environment", {TEXT}},
	{"content", {TEXT}},
	{"external", {.kinds = BR_YES | BR_MAP, .cast = BR_CAST_BOOL}},
	{"labels", {PAIRS, .once = true}},
	{"template_driver", {TEXT}},
	{0},
};
static const struct br_level config_level = {.strict = true, .keys = config_keys};

static const struct br_key pool_keys[] = {
	{"subnet", {TEXT}},
	{"ip_range", {TEXT}},
	{"gateway", {TEXT}},
	{"aux_addresses", {.kinds = BR_MAP, .value = &string}},
	{0},
};
static const struct br_level pool_level = {.keys = pool_keys};
static const struct br_rule pool = {LEVEL(pool_level)};
static const struct br_key ipam_keys[] = {
	{"driver", {TEXT}},
	{"config", {.kinds = BR_SEQ, .item = &pool}},
	{"options", {.kinds = BR_MAP, .value = &string}},
	{0},
};
static const struct br_level ipam_level = {.keys = ipam_keys};
static const struct br_key network_keys[] = {
	{"name", {TEXT}},
	{"driver", {TEXT}},
	{"driver_opts", {OPTIONS}},
	{"ipam", {LEVEL(ipam_level)}},
	{"external", {EXTERNAL}},
	{"internal", {SWITCH}},
	{"enable_ipv4", {SWITCH}},
	{"enable_ipv6", {SWITCH}},
	{"attachable", {SWITCH}},
	{"labels", {PAIRS}},
	{0},
};
static const struct br_level network_level = {.keys = network_keys};

static const struct br_key model_keys[] = {
	{"name", {TEXT}},
	{"model", {TEXT}},
	{"context_size", {.kinds = BR_INT}},
	{"runtime_flags", {STRINGS}},
	{0},
};
static const char *const model_needs[] = {"model", NULL};
static const struct br_level model_level = {.merged = true,
	.keys = model_keys,
	.needs = model_needs};

static const struct br_key include_keys[] = {
	{"path", {ONE_OR_MORE, .unique = true}},
	{"project_directory", {TEXT}},
	{"env_file", {ONE_OR_MORE, .unique = true}},
	{0},
};
static const char *const include_needs[] = {"path", NULL};
static const struct br_level include_level = {.strict = true,
	.keys = include_keys,
	.needs = include_needs};
static const struct br_rule include = {.kinds = BR_STR | BR_MAP, .level = &include_level};

static const struct br_key top_keys[] = {
	{"name", {TEXT}},
	{"services", {.kinds = BR_MAP}},
	{"volumes", {.kinds = BR_MAP}},
	{"secrets", {.kinds = BR_MAP}},
	{"configs", {.kinds = BR_MAP}},
	{"include", {.kinds = BR_SEQ, .item = &include}},
	{"version", {TEXT}},
	{"networks", {.kinds = BR_MAP}},
	{"models", {.kinds = BR_MAP}},
	{0},
};
const struct br_level br_schema_top = {.keys = top_keys};

const struct br_section br_schema_sections[BR_SECTIONS] = {
	{"services", {LEVEL(service_level)}, "a mapping with an image or a build", false},
	{"volumes", {.kinds = BR_MAP | BR_NUL, .level = &volume_level}, "a mapping or empty",
		false},
	{"secrets", {LEVEL(secret_level)}, "a mapping with a file or an environment", false},
	{"configs", {LEVEL(config_level)}, "a mapping with a file, a content or an environment",
		false},
	{"networks", {.kinds = BR_MAP | BR_NUL, .level = &network_level}, "a mapping or empty",
		true},
	{"models", {LEVEL(model_level)}, "a mapping with a model", true},
};

const struct br_key *br_schema_key(const struct br_level *level, const char *name) {
	for (const struct br_key *key = level->keys; key->name; key++) {
		if (strcmp(key->name, name) == 0) {
			return key;
		}
	}
	return NULL;
}
