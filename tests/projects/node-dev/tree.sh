case_fresh() {
	as 1000 mkdir src node_modules
	as 1000 sh -c 'echo "a" >src/index.js'
}
# npm install was run as root in a container before.
case_root_dist() {
	case_fresh
	mkdir dist
	echo x >dist/bundle.js
}
