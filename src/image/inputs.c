/** What images are known to read and never to write. */
#include "known.h"

#include <base/mem.h>
#include <base/text.h>

#include <string.h>

// From the images' own documentation, which mounts these with `:ro`, or from their entrypoints,
// which only read them. A directory stands for what is below it, too.
static const struct input {
	/** As in the table of well-known images; NULL: any image. */
	const char *repository;
	const char *target;
} inputs[] = {
	{"docker.io/library/nginx", "/usr/share/nginx/html"},
	{"docker.io/library/nginx", "/etc/nginx/nginx.conf"},
	{"docker.io/library/nginx", "/etc/nginx/templates"},
	{"docker.io/nginxinc/nginx-unprivileged", "/usr/share/nginx/html"},
	{"docker.io/library/httpd", "/usr/local/apache2/htdocs"},
	{"docker.io/library/httpd", "/usr/local/apache2/conf/httpd.conf"},
	{"docker.io/library/haproxy", "/usr/local/etc/haproxy"},
	{"docker.io/library/caddy", "/etc/caddy"},
	{"docker.io/library/traefik", "/etc/traefik/traefik.yml"},
	{"docker.io/library/traefik", "/etc/traefik/traefik.yaml"},
	{"docker.io/library/traefik", "/etc/traefik/traefik.toml"},
	{"docker.io/library/postgres", "/docker-entrypoint-initdb.d"},
	{"docker.io/library/mysql", "/docker-entrypoint-initdb.d"},
	{"docker.io/library/mariadb", "/docker-entrypoint-initdb.d"},
	{"docker.io/library/mongo", "/docker-entrypoint-initdb.d"},
	{"docker.io/prom/prometheus", "/etc/prometheus"},
	{"quay.io/prometheus/prometheus", "/etc/prometheus"},
	{"docker.io/prom/alertmanager", "/etc/alertmanager"},
	{"quay.io/prometheus/alertmanager", "/etc/alertmanager"},
	{"docker.io/grafana/grafana*", "/etc/grafana/provisioning"},
	{"docker.io/tensorflow/serving", "/models"},
	{NULL, "/etc/localtime"},
	{NULL, "/etc/timezone"},
	{NULL, "/usr/share/zoneinfo"},
	{NULL, "/etc/ssl/certs"},
	{NULL, "/etc/machine-id"},
	{NULL, "/lib/modules"},
};

static bool is_at_or_below(const char *path, const char *top) {
	size_t n = strlen(top);
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

int br_image_only_reads(struct br_arena *arena, const char *reference, const char *target) {
	const char *repository = NULL;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		if (!is_at_or_below(target, inputs[i].target)) {
			continue;
		}
		if (!inputs[i].repository) {
			return 1;
		}
		if (!reference) {
			continue;
		}
		repository = repository ? repository : known_repository(arena, reference);
		if (!repository) {
			return -1;
		}
		if (br_glob(inputs[i].repository, repository)) {
			return 1;
		}
	}
	return 0;
}
