case_private_key() {
	as 1000 mkdir site certs
	as 1000 sh -c 'echo hi >site/index.html; echo k >certs/site.key; chmod 600 certs/site.key'
	mkdir logs && chown 101:101 logs
}
case_group_key() {
	case_private_key
	chgrp 101 certs/site.key
	chmod 640 certs/site.key
	engine site 'echo x >/var/log/nginx/access.log'
}
