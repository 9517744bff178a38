# shellcheck shell=bash
clone() {
	as 1000 mkdir -p prometheus grafana/provisioning/datasources
	as 1000 sh -c 'echo "global: {}" >prometheus/prometheus.yml; echo "route: {}" >alertmanager.yml; echo "apiVersion: 1" >grafana/provisioning/datasources/a.yml'
}
case_fresh() { clone; }
case_chowned() {
	clone
	mkdir -p data/grafana data/prometheus
	chown 472:0 data/grafana
	chown 65534:65534 data/prometheus
	engine grafana 'echo x >/var/lib/grafana/grafana.db && chmod 640 /var/lib/grafana/grafana.db && mkdir /var/lib/grafana/plugins'
	engine prometheus 'mkdir /prometheus/wal && echo x >/prometheus/wal/0'
}
# The directories were restored from a backup as root, with the files' modes.
case_restored() {
	case_chowned
	chown -R 0:0 data
}
