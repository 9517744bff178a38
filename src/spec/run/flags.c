/** The options of `run` and `create`, and those before them, of each client. */
#include "run.h"

#include <base/text.h>

#include <string.h>

enum {
	D = BR_CLIENT_DOCKER,
	P = BR_CLIENT_PODMAN,
	N = BR_CLIENT_NERDCTL,
};

/**
 * What docker 20.10, 28.2 and 29 (with their hidden options for Windows), podman 4.3 and 5.7 and
 * nerdctl 2.2 have; from their help and, for what the help leaves out, from where they are defined.
 */
static const struct br_flag flags[] = {
	{"add-host", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"annotation", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"arch", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"attach", 'a', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"authfile", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"blkio-weight", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"blkio-weight-device", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cap-add", 0, BR_TAKES_LIST, D | P | N, BR_FLAG_CAP_ADD},
	{"cap-drop", 0, BR_TAKES_LIST, D | P | N, BR_FLAG_CAP_DROP},
	{"cert-dir", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"cgroup-conf", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"cgroup-parent", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cgroupns", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cgroups", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"chrootdirs", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"cidfile", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"conmon-pidfile", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"cosign-certificate-identity", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cosign-certificate-identity-regexp", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cosign-certificate-oidc-issuer", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cosign-certificate-oidc-issuer-regexp", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cosign-key", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cpu-count", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"cpu-percent", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"cpu-period", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpu-quota", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpu-rt-period", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpu-rt-runtime", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpu-shares", 'c', BR_TAKES_VALUE, D | P, BR_FLAG_SKIP},
	{"cpu-shares", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cpus", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpuset-cpus", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"cpuset-mems", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"creds", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"decryption-key", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"detach", 'd', BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"detach-keys", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"device", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"device-cgroup-rule", 0, BR_TAKES_VALUE, D | P, BR_FLAG_SKIP},
	{"device-read-bps", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"device-read-iops", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"device-write-bps", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"device-write-iops", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"disable-content-trust", 0, BR_TAKES_SWITCH, D | P, BR_FLAG_SKIP},
	{"dns", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"dns-opt", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"dns-option", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"dns-search", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"domainname", 0, BR_TAKES_VALUE, D | N, BR_FLAG_SKIP},
	{"entrypoint", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_ENTRYPOINT},
	{"env", 'e', BR_TAKES_VALUE, D | P | N, BR_FLAG_ENV},
	{"env-file", 0, BR_TAKES_LIST, D | P | N, BR_FLAG_ENV_FILE},
	{"env-host", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"env-merge", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"expose", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"gidmap", 0, BR_TAKES_LIST, P, BR_FLAG_GIDMAP},
	{"gpus", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"group-add", 0, BR_TAKES_LIST, D | P | N, BR_FLAG_GROUP_ADD},
	{"group-entry", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-cmd", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"health-interval", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"health-log-destination", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-max-log-count", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-max-log-size", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-on-failure", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-retries", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"health-start-interval", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"health-start-period", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"health-startup-cmd", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-startup-interval", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-startup-retries", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-startup-success", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-startup-timeout", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"health-timeout", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"healthcheck-command", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"healthcheck-interval", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"healthcheck-retries", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"healthcheck-start-period", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"healthcheck-timeout", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"help", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_HELP},
	{"hostname", 'h', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"hosts-file", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"hostuser", 0, BR_TAKES_LIST, P, BR_FLAG_HOSTUSER},
	{"http-proxy", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"image-volume", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"init", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"init-binary", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"init-ctr", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"init-path", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"interactive", 'i', BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"io-maxbandwidth", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"io-maxiops", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"ip", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"ip6", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"ipc", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_IPC},
	{"ipfs-address", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"isolation", 0, BR_TAKES_VALUE, D | N, BR_FLAG_SKIP},
	{"kernel-memory", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"label", 'l', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"label-file", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"link", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"link-local-ip", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"log-driver", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"log-opt", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"mac-address", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"memory", 'm', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"memory-reservation", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"memory-swap", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"memory-swappiness", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"mount", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_MOUNT},
	{"name", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_NAME},
	{"net", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_NETWORK},
	{"net-alias", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"network", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_NETWORK},
	{"network-alias", 0, BR_TAKES_VALUE, D | P, BR_FLAG_SKIP},
	{"no-healthcheck", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"no-hostname", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"no-hosts", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"no-session", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"oom-kill-disable", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"oom-score-adj", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"os", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"override-arch", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"override-os", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"override-variant", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"passwd", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"passwd-entry", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"personality", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"pid", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_PID},
	{"pidfile", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"pids-limit", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"platform", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"pod", 0, BR_TAKES_VALUE, P, BR_FLAG_POD},
	{"pod-id-file", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"preserve-fd", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"preserve-fds", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"privileged", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_PRIVILEGED},
	{"publish", 'p', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"publish-all", 'P', BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"pull", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"quiet", 'q', BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"rdt-class", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"read-only", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_READ_ONLY},
	{"read-only-tmpfs", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"replace", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"requires", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"restart", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"retry", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"retry-delay", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"rm", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"rmi", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"rootfs", 0, BR_TAKES_SWITCH, P | N, BR_FLAG_ROOTFS},
	{"runtime", 0, BR_TAKES_VALUE, D | N, BR_FLAG_RUNTIME},
	{"sdnotify", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"seccomp-policy", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"secret", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"security-opt", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SECURITY_OPT},
	{"shm-size", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"shm-size-systemd", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"sig-proxy", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"signature-policy", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"stop-signal", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"stop-timeout", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"storage-opt", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"subgidname", 0, BR_TAKES_VALUE, P, BR_FLAG_SUBGIDNAME},
	{"subuidname", 0, BR_TAKES_VALUE, P, BR_FLAG_SUBUIDNAME},
	{"sysctl", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"systemd", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"timeout", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"tls-verify", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"tmpfs", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_TMPFS},
	{"tty", 't', BR_TAKES_SWITCH, D | P | N, BR_FLAG_SKIP},
	{"tz", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"uidmap", 0, BR_TAKES_LIST, P, BR_FLAG_UIDMAP},
	{"ulimit", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"umask", 0, BR_TAKES_VALUE, P | N, BR_FLAG_UMASK},
	{"unsetenv", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"unsetenv-all", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"use-api-socket", 0, BR_TAKES_SWITCH, D, BR_FLAG_SOCKET},
	{"user", 'u', BR_TAKES_VALUE, D | P | N, BR_FLAG_USER},
	{"userns", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_USERNS},
	{"uts", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
	{"variant", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"verify", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"volume", 'v', BR_TAKES_VALUE, D | P | N, BR_FLAG_VOLUME},
	{"volume-driver", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"volumes-from", 0, BR_TAKES_VALUE, D | P | N, BR_FLAG_VOLUMES_FROM},
	{"workdir", 'w', BR_TAKES_VALUE, D | P | N, BR_FLAG_SKIP},
};

/** Before "run". */
static const struct br_flag globals[] = {
	{"address", 'a', BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"bridge-ip", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cdi-spec-dir", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"cdi-spec-dirs", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cgroup-manager", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"cni-netconfpath", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"cni-path", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"config", 0, BR_TAKES_VALUE, D | P, BR_FLAG_SKIP},
	{"conmon", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"connection", 'c', BR_TAKES_VALUE, P, BR_FLAG_CONTEXT},
	{"context", 'c', BR_TAKES_VALUE, D, BR_FLAG_CONTEXT},
	{"data-root", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"debug", 'D', BR_TAKES_SWITCH, D, BR_FLAG_SKIP},
	{"debug", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"debug-full", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"events-backend", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"experimental", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"help", 0, BR_TAKES_SWITCH, D | P | N, BR_FLAG_HELP},
	{"hooks-dir", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"host", 'H', BR_TAKES_VALUE, D, BR_FLAG_ADDRESS},
	{"host", 'H', BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"host-gateway-ip", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"hosts-dir", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"identity", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"imagestore", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"insecure-registry", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"kube-hide-dupe", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"log-level", 'l', BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"log-level", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"module", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"namespace", 'n', BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"namespace", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"network-cmd-path", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"network-config-dir", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"noout", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"out", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"remote", 'r', BR_TAKES_SWITCH, P, BR_FLAG_REMOTE},
	{"root", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"runroot", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"runtime", 0, BR_TAKES_VALUE, P, BR_FLAG_RUNTIME},
	{"runtime-flag", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"selinux-enabled", 0, BR_TAKES_SWITCH, N, BR_FLAG_SKIP},
	{"snapshotter", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"ssh", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"storage-driver", 0, BR_TAKES_VALUE, P | N, BR_FLAG_SKIP},
	{"storage-opt", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"syslog", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"tls", 0, BR_TAKES_SWITCH, D, BR_FLAG_SKIP},
	{"tls-ca", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"tls-cert", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"tls-key", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"tlscacert", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"tlscert", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"tlskey", 0, BR_TAKES_VALUE, D, BR_FLAG_SKIP},
	{"tlsverify", 0, BR_TAKES_SWITCH, D, BR_FLAG_SKIP},
	{"tmpdir", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
	{"transient-store", 0, BR_TAKES_SWITCH, P, BR_FLAG_SKIP},
	{"url", 0, BR_TAKES_VALUE, P, BR_FLAG_ADDRESS},
	{"userns-remap", 0, BR_TAKES_VALUE, N, BR_FLAG_SKIP},
	{"version", 'v', BR_TAKES_SWITCH, D | P | N, BR_FLAG_HELP},
	{"volumepath", 0, BR_TAKES_VALUE, P, BR_FLAG_SKIP},
};

enum {
	NFLAGS = sizeof(flags) / sizeof(flags[0]),
	NGLOBALS = sizeof(globals) / sizeof(globals[0]),
};

/** The flags being read. */
struct reader {
	struct br_run *run;
	struct br_line *line;
	const struct br_command *command;
	size_t *i;
	const struct br_flag *table;
	size_t n;
	struct br_used_flags *out;
};

static const char *client_name(enum br_client client) {
	return client == BR_CLIENT_PODMAN     ? "podman"
		: client == BR_CLIENT_NERDCTL ? "nerdctl"
					      : "docker";
}

static const struct br_flag *find_in(const struct br_flag *table, size_t size,
	enum br_client client, const char *name, size_t n) {
	for (size_t i = 0; i < size; i++) {
		if ((table[i].clients & client) && strlen(table[i].name) == n
			&& memcmp(table[i].name, name, n) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

static const struct br_flag *find_name(const struct reader *r, const char *name, size_t n) {
	enum br_client client = r->line->client;
	const struct br_flag *flag = find_in(r->table, r->n, client, name, n);
	if (flag || r->table == globals || client == BR_CLIENT_DOCKER) {
		return flag;
	}
	// Podman and nerdctl take those of the client behind the verb too.
	flag = find_in(globals, NGLOBALS, client, name, n);
	return flag && flag->is == BR_FLAG_SKIP ? flag : NULL;
}

static const struct br_flag *find_letter(const struct reader *r, char letter) {
	for (size_t i = 0; i < r->n; i++) {
		if ((r->table[i].clients & r->line->client) && r->table[i].letter == letter) {
			return &r->table[i];
		}
	}
	return NULL;
}

static const char *nearest_name(const struct reader *r, const char *word) {
	const char *names[NFLAGS + 1] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->table[i].clients & r->line->client) {
			names[n++] = r->table[i].name;
		}
	}
	return strlen(word) < 64 ? br_nearest(word, names) : NULL;
}

/** Another client has it? */
static enum br_client owner_of(const struct reader *r, const char *word) {
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->table[i].name, word) == 0) {
			return r->table[i].clients & BR_CLIENT_DOCKER    ? BR_CLIENT_DOCKER
				: r->table[i].clients & BR_CLIENT_PODMAN ? BR_CLIENT_PODMAN
									 : BR_CLIENT_NERDCTL;
		}
	}
	return 0;
}

static int unknown_name(const struct reader *r, const struct br_word *word, size_t n) {
	struct br_run *run = r->run;
	const char *client = client_name(r->line->client);
	char *name = br_strndup(run->arena, word->is.s + 2, n);
	if (!name) {
		return br_error_memory(run->dx);
	}
	(void)br_error(run->dx, br_chars_at(run, word->is, 0, n + 2), "%s has no option '--%s'",
		r->table == globals ? client : br_printf(run->arena, "%s run", client), name);
	const char *near = nearest_name(r, name);
	enum br_client owner = owner_of(r, name);
	if (owner) {
		br_hint(run->dx, "it is an option of %s", client_name(owner));
	} else if (near) {
		br_hint(run->dx, "did you mean --%s?", near);
	} else {
		br_hint(run->dx, "without it, it cannot be told where the image is");
	}
	return -1;
}

static int keep(struct reader *r, struct br_used *used) {
	if (used->flag->is == BR_FLAG_HELP && used->yes) {
		return br_error(r->run->dx, used->at, "'--%s' runs no container", used->flag->name);
	}
	return br_vec_push(r->run->arena, r->out, *used) ? br_error_memory(r->run->dx) : 0;
}

/** Go's words for yes and no. */
static int read_bool(struct reader *r, struct br_used *used, struct br_chars value) {
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", NULL};
	for (size_t i = 0; yes[i]; i++) {
		if (strcmp(value.s, yes[i]) == 0 || strcmp(value.s, no[i]) == 0) {
			used->yes = strcmp(value.s, yes[i]) == 0;
			return 0;
		}
	}
	struct br_span at = value.n ? br_chars_at(r->run, value, 0, value.n) : used->at;
	(void)br_error(r->run->dx, at, "'%s' is no value of --%s, which takes true or false",
		value.s, used->flag->name);
	return -1;
}

/** The value is the next word. */
static int next_value(struct reader *r, struct br_used *used, const struct br_word *option) {
	if (*r->i >= r->command->n) {
		(void)br_error(r->run->dx, option->at, "'--%s' needs a value", used->flag->name);
		return -1;
	}
	const struct br_word *word = &r->command->words[(*r->i)++];
	// Of what does not matter nobody asks how many words it is: it is meant to be one.
	bool matters = used->flag->is != BR_FLAG_SKIP && used->flag->is != BR_FLAG_NAME;
	if (word->bare && matters) {
		return br_say_hole(r->run, word->hole);
	}
	used->value = word->is;
	used->hole = word->hole;
	used->environment = word->environment;
	return 0;
}

/** "$A-b": what it begins with is not known, and so neither is whether it is an option. */
static bool begins_unknown(const struct br_word *word) {
	return word->hole && word->is.n && word->is.at[0].off > word->hole->at.off;
}

/** --name, --name=value, --name value. */
static int read_long(struct reader *r, const struct br_word *word) {
	const char *name = word->is.s + 2;
	size_t n = strcspn(name, "=");
	struct br_used used = {.flag = find_name(r, name, n), .at = word->at, .yes = true};
	if (!used.flag) {
		return unknown_name(r, word, n);
	}
	used.environment = word->environment;
	struct br_chars value = br_chars_part(word->is, n + 2, word->is.n - n - 2);
	if (name[n] == '=') {
		value = br_chars_part(value, 1, value.n - 1);
		used.value = value;
		used.hole = word->hole;
	}
	if (used.flag->takes == BR_TAKES_SWITCH) {
		if (name[n] == '=' && !word->hole && read_bool(r, &used, value)) {
			return -1;
		}
	} else if (name[n] != '=' && next_value(r, &used, word)) {
		return -1;
	}
	return keep(r, &used);
}

static int unknown_letter(const struct reader *r, const struct br_word *word, size_t k) {
	struct br_run *run = r->run;
	(void)br_error(run->dx, br_chars_at(run, word->is, k, 1), "%s%s has no option '-%c'",
		client_name(r->line->client), r->table == flags ? " run" : "", word->is.s[k]);
	if (word->is.n > 3 && find_name(r, word->is.s + 1, strcspn(word->is.s + 1, "="))) {
		br_hint(run->dx, "did you mean -%s?", word->is.s);
	}
	return -1;
}

/** -it, -itu 1001, -u1001, -u=1001, -t=false. */
static int read_short(struct reader *r, const struct br_word *word) {
	const char *s = word->is.s;
	for (size_t k = 1; k < word->is.n; k++) {
		struct br_used used = {.flag = find_letter(r, s[k]), .at = word->at, .yes = true};
		if (!used.flag) {
			return unknown_letter(r, word, k);
		}
		used.environment = word->environment;
		bool has_equals = s[k + 1] == '=' && s[k + 2];
		size_t from = k + 1 + has_equals;
		struct br_chars value = br_chars_part(word->is, from, word->is.n - from);
		bool is_switch = used.flag->takes == BR_TAKES_SWITCH;
		if (is_switch && !has_equals) {
			if (keep(r, &used)) {
				return -1;
			}
			continue;
		}
		if (is_switch) {
			return word->hole || read_bool(r, &used, value) == 0 ? keep(r, &used) : -1;
		}
		used.value = value;
		used.hole = word->hole;
		bool is_next = value.n == 0 && !word->hole;
		return is_next && next_value(r, &used, word) ? -1 : keep(r, &used);
	}
	return 0;
}

int br_flags_read(struct br_run *run, struct br_line *line, const struct br_command *command,
	size_t *i, struct br_used_flags *out) {
	bool global = out->global;
	struct reader r = {
		run, line, command, i, global ? globals : flags, global ? NGLOBALS : NFLAGS, out};
	while (*i < command->n) {
		const struct br_word *word = &command->words[*i];
		// Without knowing what it is, nothing behind it can be told.
		if (!global && (word->bare || begins_unknown(word))) {
			return br_say_hole(run, word->hole);
		}
		const char *s = word->is.s;
		if (s[0] != '-' || (!s[1] && !word->hole)) {
			return 0;
		}
		(*i)++;
		if (strcmp(s, "--") == 0 && !word->hole) {
			return 0;
		}
		if (s[1] == '-' ? read_long(&r, word) : read_short(&r, word)) {
			return -1;
		}
	}
	return 0;
}
