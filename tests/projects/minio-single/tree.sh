# shellcheck shell=bash
case_fresh() { :; }
case_started() {
	as 1000 mkdir minio-user
	engine minio 'mkdir -p /data/.minio.sys/format && echo x >/data/.minio.sys/format/a'
	engine minio-rootless 'mkdir -p /data/bucket && echo x >/data/bucket/a'
}
# The rootless one took over the data of the other.
case_taken_over() {
	engine minio 'mkdir -p /data/.minio.sys && echo x >/data/.minio.sys/a'
	cp -a minio minio-user
}
