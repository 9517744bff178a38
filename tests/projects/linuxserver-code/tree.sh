case_users() { as 1000 mkdir -p projects/a; }
case_group() {
	as 1000 mkdir -p projects/a
	chmod -R g+ws projects
	engine code 'echo x >/projects/a/main.c'
}
