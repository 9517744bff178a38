case_made() {
	as 1000 mkdir auth
	as 1000 sh -c 'umask 077; echo "u:x" >auth/htpasswd; echo ":80" >Caddyfile'
	engine registry 'mkdir -p /var/lib/registry/docker/registry/v2 && echo x >/var/lib/registry/docker/registry/v2/blob'
	engine ui 'mkdir -p /data/caddy/acme && chmod 700 /data/caddy'
}
