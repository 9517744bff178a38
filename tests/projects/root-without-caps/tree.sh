# Root's own, as the engine makes them.
case_fresh() { :; }
# The user's, with which root without its override is one of the others.
case_users() {
	as 1000 mkdir -p ollama/models tgi
	as 1000 sh -c 'echo x >ollama/models/a; echo y >tgi/config.json'
}
