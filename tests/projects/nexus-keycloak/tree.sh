realm() {
	as 1000 mkdir realms
	as 1000 sh -c 'echo "{}" >realms/app.json; chmod 640 realms/app.json'
}
case_documented() {
	realm
	mkdir nexus-data && chown -R 200 nexus-data
	engine nexus 'mkdir -p /nexus-data/etc && echo x >/nexus-data/etc/nexus.properties'
}
case_fresh() { realm; }
