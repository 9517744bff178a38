# shellcheck shell=bash
case_fresh() {
	as 1000 mkdir conf.d
	as 1000 sh -c 'echo "[mariadb]" >conf.d/a.cnf'
}
case_started() {
	case_fresh
	engine mariadb 'cd /var/lib/mysql && echo x >ibdata1 && chmod 660 ibdata1'
}
case_closed_config() {
	case_fresh
	chmod 700 conf.d
}
