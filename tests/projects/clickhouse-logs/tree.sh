case_fresh() {
	as 1000 mkdir -p ch/users.d
	as 1000 sh -c 'echo "<clickhouse/>" >ch/users.d/a.xml'
}
case_started() {
	case_fresh
	engine clickhouse 'mkdir -p /var/lib/clickhouse/store && chmod 750 /var/lib/clickhouse/store && echo x >/var/log/clickhouse-server/a.log'
}
