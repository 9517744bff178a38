case_fresh() { :; }
case_users_content() {
	as 1010 true
	mkdir -p content/images
	echo x >content/images/a.png
	chown -R 1010:1010 content
	chmod -R go-rwx content
}
