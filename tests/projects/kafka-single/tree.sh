# shellcheck shell=bash
conf() {
	as 1000 mkdir config
	as 1000 sh -c 'echo "node.id=1" >config/server.properties'
}
case_fresh() { conf; }
case_made() {
	conf
	as 1000 mkdir kafka-data
}
# The host's user is another one, who gave the group to the container.
case_other_user() {
	conf
	as 1010 true
	mkdir kafka-data
	chown 1010:1000 kafka-data
	chmod 2775 kafka-data
}
