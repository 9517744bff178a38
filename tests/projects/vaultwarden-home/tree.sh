case_started() {
	as 1000 mkdir vw-user
	engine vaultwarden 'echo x >/data/db.sqlite3; echo k >/data/rsa_key.pem; chmod 600 /data/rsa_key.pem'
	engine vaultwarden-user 'echo x >/data/db.sqlite3'
}
case_moved() {
	case_started
	cp -a vw-data/. vw-user/
}
