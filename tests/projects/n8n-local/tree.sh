# shellcheck shell=bash
case_fresh() { :; }
case_made() {
	as 1000 mkdir n8n_data local-files
	engine n8n 'echo "{}" >/home/node/.n8n/config && chmod 600 /home/node/.n8n/config'
}
case_key_of_root() {
	case_made
	chown 0:0 n8n_data/config
}
