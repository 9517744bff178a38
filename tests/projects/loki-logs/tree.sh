# shellcheck shell=bash
case_fresh() { as 1000 sh -c 'echo "auth_enabled: false" >loki.yaml'; }
case_acl() {
	case_fresh
	as 1000 mkdir loki
	setfacl -m u:10001:rwx,d:u:10001:rwx,d:u:1000:rwx loki
	engine loki 'mkdir /loki/chunks && echo x >/loki/chunks/0'
}
# A chmod took the ACL's mask.
case_masked() {
	case_acl
	chmod g-w loki
}
