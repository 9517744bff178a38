case_made() {
	as 1000 mkdir -p notebooks datasets/raw
	as 1000 sh -c 'echo a,b >datasets/raw/a.csv'
	engine lab 'cd /home/jovyan/work && mkdir -p .ipynb_checkpoints && echo "{}" >a.ipynb'
}
# The engine makes both as root.
case_fresh() { :; }
# Data that only a group of the host may read.
case_group_data() {
	case_made
	chown -R 0:2500 datasets
	chmod -R o-rwx,g+rX datasets
}
