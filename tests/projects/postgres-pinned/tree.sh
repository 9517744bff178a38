# shellcheck shell=bash
# user: without a directory of one's own: the engine makes it as root.
case_fresh() { :; }
case_made() { as 1000 mkdir pgdata; }
# It ran before without user:, and the files are the image's user's.
case_before() {
	mkdir pgdata
	chown 70:70 pgdata
	chmod 700 pgdata
	setpriv --reuid=70 --regid=70 --clear-groups sh -c 'echo 16 >pgdata/PG_VERSION; chmod 600 pgdata/PG_VERSION'
}
# As it is told in a hundred threads.
case_widened() {
	mkdir pgdata
	chmod 777 pgdata
}
