case_made() {
	as 1000 mkdir letsencrypt dynamic html
	as 1000 sh -c 'umask 077; : >letsencrypt/acme.json; echo "http: {}" >dynamic/a.yml; umask 022; echo hi >html/index.html'
	engine traefik 'echo "{}" >/acme.json'
}
# Nobody touched acme.json before: it becomes a directory.
case_untouched() { as 1000 mkdir dynamic html; }
