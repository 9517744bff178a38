case_clone() {
	as 1000 mkdir app
	as 1000 sh -c 'umask 077; echo "{}" >app/package.json'
	engine web 'cd /usr/src/app && mkdir -p node_modules/.bin && echo x >node_modules/.bin/vite && chmod 755 node_modules/.bin/vite'
}
