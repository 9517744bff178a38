# What git makes: objects that nobody may write, hooks, a pack.
checkout() {
	as 1000 mkdir -p .git/objects/ab .git/objects/pack .git/refs/heads .git/hooks cmd
	as 1000 sh -c 'echo o >.git/objects/ab/cdef; echo p >.git/objects/pack/p.pack; chmod 444 .git/objects/ab/cdef .git/objects/pack/p.pack
		echo "ref: refs/heads/main" >.git/HEAD; echo "#!/bin/sh" >.git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit; echo "package main" >cmd/main.go'
}
case_own() {
	checkout
	engine dev 'cd /workspace && echo o >.git/objects/ab/new && chmod 444 .git/objects/ab/new && mkdir -p bin && echo x >bin/app && chmod 755 bin/app'
}
case_of_1010() {
	checkout
	chown -R 1010:1010 .
}
# A build as root in between.
case_root_build() {
	checkout
	mkdir bin
	echo x >bin/app
	chmod 755 bin/app
}
