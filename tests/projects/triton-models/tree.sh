case_cloned() {
	as 1000 mkdir -p model_repository/net/1
	as 1000 sh -c 'echo x >model_repository/net/1/model.onnx; chmod 400 model_repository/net/1/model.onnx'
}
case_copied_by_root() {
	case_cloned
	cp -r model_repository/net model_repository/net2
	chmod 600 model_repository/net2/1/model.onnx
}
