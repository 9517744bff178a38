case_fresh() {
	as 1000 mkdir -p docker/pythonpath_dev
	as 1000 sh -c 'echo "SECRET=1" >docker/pythonpath_dev/superset_config.py'
}
case_made() {
	case_fresh
	as 1000 mkdir superset_home
	engine superset 'echo x >/app/superset_home/superset.db'
	engine redis 'echo x >/data/dump.rdb'
}
