case_group() {
	mkdir uploads
	chgrp 3000 uploads
	chmod 2775 uploads
	setfacl -m d:g:3000:rwX uploads
	engine api 'mkdir /uploads/1 && echo i >/uploads/1/a.png'
	engine resize 'echo i >/uploads/1/b.png'
}
# Without the default ACL what one makes is the other's to read only.
case_no_default() {
	mkdir uploads
	chgrp 3000 uploads
	chmod 2775 uploads
	engine api 'mkdir /uploads/1 && echo i >/uploads/1/a.png'
}
