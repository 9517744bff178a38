# shellcheck shell=bash
case_fresh() { :; }
case_started() {
	engine wordpress 'cd /var/www/html && mkdir -p wp-content/uploads && echo "<?php" >index.php'
	engine db 'echo x >/var/lib/mysql/ibdata1'
}
