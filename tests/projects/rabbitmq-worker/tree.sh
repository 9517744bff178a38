# shellcheck shell=bash
clone() {
	as 1000 mkdir rabbitmq
	as 1000 sh -c 'echo "[rabbitmq_management]." >rabbitmq/enabled_plugins'
}
case_fresh() { clone; }
case_made() {
	clone
	as 1000 mkdir -p jobs/in jobs/out
	as 1000 sh -c 'echo 1 >jobs/in/1'
	engine broker 'echo cookie >/var/lib/rabbitmq/.erlang.cookie && chmod 400 /var/lib/rabbitmq/.erlang.cookie'
}
# Root put jobs there by sudo.
case_sudo() {
	case_made
	mkdir jobs/in/batch
	echo 2 >jobs/in/batch/2
}
