# shellcheck shell=bash
clone() {
	as 1000 mkdir -p conf secrets
	as 1000 sh -c 'echo "[mysqld]" >conf/my.cnf; echo geheim >secrets/root_password.txt'
}
case_fresh() { clone; }
case_started() {
	clone
	engine mysql 'cd /var/lib/mysql && echo x >ibdata1 && chmod 640 ibdata1 && mkdir -m 750 app && echo x >app/t.ibd'
	engine backup 'echo dump >/backups/1.sql'
}
# The secret is its owner's alone: the server, which is not root any more, cannot read it.
case_private_secret() {
	clone
	chmod 600 secrets/root_password.txt
}
