code() {
	as 1000 mkdir src
	as 1000 sh -c 'echo "import mlflow" >src/train.py'
}
# The server is root, and the trainer is not.
case_started() {
	code
	engine mlflow 'mkdir -p /mlflow/artifacts/0 && echo x >/mlflow/mlflow.db'
}
case_acl() {
	code
	mkdir -p mlflow/artifacts
	setfacl -R -m u:1001:rwx,d:u:1001:rwx mlflow/artifacts
	engine mlflow 'mkdir -p /mlflow/artifacts/0 && echo x >/mlflow/artifacts/0/model.pkl'
	engine train 'echo y >/artifacts/0/metrics.json'
}
