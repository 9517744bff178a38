# shellcheck shell=bash
case_fresh() { :; }
case_made() {
	as 1000 mkdir data config
	engine server 'echo a >/etc/gitea/app.ini && chmod 600 /etc/gitea/app.ini && mkdir /var/lib/gitea/git'
}
