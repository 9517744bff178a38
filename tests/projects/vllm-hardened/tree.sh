case_private_models() {
	as 1000 mkdir -p models/llama
	as 1000 sh -c 'umask 077; echo w >models/llama/model.safetensors'
	mkdir cache && chown 2000:2000 cache
}
case_open_models() {
	case_private_models
	chmod -R o+rX models
	engine vllm 'mkdir -p /cache/hub && echo x >/cache/hub/a'
}
