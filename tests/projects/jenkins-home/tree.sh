# shellcheck shell=bash
case_fresh() { as 1000 sh -c 'echo "jenkins: {}" >casc.yaml'; }
case_started() {
	case_fresh
	as 1000 mkdir jenkins_home
	engine jenkins 'cd /var/jenkins_home && mkdir -p secrets jobs/a/builds && chmod 700 secrets && echo k >secrets/master.key && chmod 600 secrets/master.key'
}
# After the engine had made it, only the top was given away.
case_half_chowned() {
	case_fresh
	mkdir -p jenkins_home/plugins
	echo x >jenkins_home/plugins/git.jpi
	chown 1000:1000 jenkins_home
}
