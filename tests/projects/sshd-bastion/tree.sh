keys() {
	as 1000 mkdir keys host_keys
	as 1000 sh -c 'echo "ssh-ed25519 A" >keys/authorized_keys; umask 077; echo k >host_keys/ssh_host_ed25519_key'
}
# Without its override root cannot read a key that is the user's alone.
case_users_key() { keys; }
case_roots_key() {
	keys
	chown 0:0 host_keys/ssh_host_ed25519_key
}
