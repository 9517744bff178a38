# shellcheck shell=bash
case_fresh() { as 1000 sh -c 'echo "appendonly yes" >redis.conf'; }
case_made() {
	case_fresh
	as 1000 mkdir uploads redis-data
}
case_started() {
	case_made
	engine cache 'mkdir -p appendonlydir; cd /data; echo x >dump.rdb; chmod 600 dump.rdb'
	engine app 'echo x >/srv/uploads/a.png'
}
