case_mine() {
	chown -R 1010:1010 .
	as 1010 sh -c 'echo "{}" >a.ipynb; mkdir figures'
}
# The checkout is somebody else's.
case_theirs() { as 1000 mkdir figures; }
