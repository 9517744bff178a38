case_documented() {
	mkdir -p volumes/app/config volumes/app/data volumes/app/logs
	chown -R 2000:2000 volumes/app
	engine app 'echo "{}" >/mattermost/config/config.json && chmod 600 /mattermost/config/config.json'
}
case_fresh() { :; }
