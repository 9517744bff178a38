# shellcheck shell=bash
case_made() {
	as 1000 mkdir gitea
	engine gitea 'mkdir -p /data/git/repositories/a.git/objects/aa && echo x >/data/git/repositories/a.git/objects/aa/1 && chmod 444 /data/git/repositories/a.git/objects/aa/1'
}
case_other_owner() {
	mkdir -p gitea/git
	chown -R 1010:1010 gitea
}
