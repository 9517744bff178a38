case_started() {
	as 1000 mkdir crontabs scripts
	as 1000 sh -c 'echo "* * * * * /scripts/a.sh" >crontabs/root; chmod 600 crontabs/root; echo "#!/bin/sh" >scripts/a.sh; chmod 755 scripts/a.sh'
	engine cron 'echo x >/out/1.txt'
}
case_private_out() {
	case_started
	engine cron 'umask 077; mkdir /out/secret; echo x >/out/secret/a'
}
