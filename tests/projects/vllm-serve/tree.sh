case_downloaded() {
	as 1000 mkdir -p models/llama
	as 1000 sh -c 'umask 077; echo w >models/llama/model.safetensors; echo "{}" >models/llama/config.json'
	engine vllm 'mkdir -p /root/.cache/huggingface/hub && echo x >/root/.cache/huggingface/hub/a'
}
case_fresh() { :; }
