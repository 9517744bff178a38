clone() {
	as 1000 mkdir configs data
	as 1000 sh -c 'echo "lr: 1" >configs/base.yaml; echo x >data/train.bin'
}
case_fresh() { clone; }
case_root_before() {
	clone
	mkdir checkpoints hf-cache
	echo w >checkpoints/last.pt
}
case_chowned() {
	case_root_before
	chown -R 1001:1001 checkpoints hf-cache
	engine trainer 'cd /workspace/checkpoints && mkdir step-1 && echo w >step-1/model.pt && umask 077 && echo x >last.pt'
}
# Data of which each file is its owner's and his group's.
case_private_data() {
	case_chowned
	chmod 640 data/train.bin
}
