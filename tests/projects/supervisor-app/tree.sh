case_fresh() { as 1000 sh -c 'echo "[supervisord]" >supervisord.conf'; }
case_chowned() {
	case_fresh
	mkdir log run
	chown 1001:1001 log run
	engine app 'echo 1 >/app/run/supervisord.pid && echo l >/var/log/supervisor/a.log'
}
case_log_of_root() {
	case_chowned
	echo l >log/old.log
}
