# As the documentation has it: AIRFLOW_UID is the user's own.
case_documented() {
	as 1000 mkdir dags logs plugins
	as 1000 sh -c 'echo AIRFLOW_UID=1000 >.env; echo "import airflow" >dags/a.py'
	services
	engine scheduler 'mkdir -p /opt/airflow/logs/scheduler && echo x >/opt/airflow/logs/scheduler/a.log'
}
# The step was forgotten.
case_forgotten() {
	as 1000 mkdir dags plugins
	as 1000 sh -c 'echo "import airflow" >dags/a.py'
}
