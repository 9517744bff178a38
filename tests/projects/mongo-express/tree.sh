# shellcheck shell=bash
case_fresh() {
	as 1000 mkdir mongo
	as 1000 sh -c 'echo "db.x" >mongo/init.js'
}
case_started() {
	case_fresh
	engine mongo 'cd /data/db && echo x >WiredTiger && chmod 600 WiredTiger && mkdir -m 700 journal'
}
# The file was not in the repository: the engine makes a directory of it.
case_no_init() { as 1000 mkdir mongo; }
