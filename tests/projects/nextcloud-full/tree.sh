# shellcheck shell=bash
case_fresh() { :; }
case_started() {
	engine db 'echo x >/var/lib/mysql/ibdata1'
	engine app 'cd /var/www/html && mkdir config data && echo "<?php" >config/config.php && chmod 640 config/config.php && chmod 770 data'
}
