# Only /config is given away; the media are left to the user.
case_fresh() { :; }
case_made() {
	as 1000 mkdir -p media/tv media/downloads
	engine sonarr 'echo x >/config/sonarr.db; mkdir /tv/Show; echo v >/tv/Show/1.mkv'
}
case_root_downloads() {
	case_made
	mkdir media/downloads/done
	echo x >media/downloads/done/1.mkv
}
# The configuration was moved here from another machine.
case_moved() {
	case_made
	chown -R 1010:1010 sonarr
	chmod -R go-rwx sonarr
}
