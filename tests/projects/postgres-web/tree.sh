# shellcheck shell=bash
# A clone of the repository.
clone() {
	as 1000 mkdir -p nginx public initdb
	as 1000 sh -c 'echo "server { }" >nginx/default.conf; echo "<h1>Hi</h1>" >public/index.html; echo "CREATE TABLE t ();" >initdb/1.sql'
}
# The data directory is left to the engine, and the entrypoint gives it away.
case_fresh() { clone; }
# The data base ran for a while.
case_started() {
	clone
	engine db 'cd /var/lib/postgresql/data && mkdir base pg_wal && chmod 700 base pg_wal && echo 16 >PG_VERSION && echo x >base/1 && chmod 600 PG_VERSION base/1'
}
# Somebody's umask was 077.
case_private() {
	clone
	chmod 700 initdb
	chmod 600 initdb/1.sql
}
