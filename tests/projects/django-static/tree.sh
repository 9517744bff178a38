conf() { as 1000 sh -c 'echo "events {}" >nginx.conf'; }
# The chown of the Dockerfile is hidden under the mounts.
case_fresh() { conf; }
case_acl() {
	conf
	as 1000 mkdir static media
	setfacl -m u:1005:rwx,d:u:1005:rwX static media
	engine web 'echo c >/app/static/a.css && mkdir /app/media/2026 && echo i >/app/media/2026/a.png'
}
