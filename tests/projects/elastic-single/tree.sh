# shellcheck shell=bash
conf() { as 1000 sh -c 'echo "cluster.name: a" >elasticsearch.yml'; }
case_fresh() { conf; }
# What the image's documentation says: a directory of group 0, writable by it.
case_documented() {
	conf
	mkdir esdata
	chmod g+rwx esdata
	chgrp 0 esdata
	engine es 'mkdir /usr/share/elasticsearch/data/nodes && echo x >/usr/share/elasticsearch/data/nodes/0'
}
case_other_user() {
	conf
	mkdir esdata
	chown 1010:1010 esdata
}
