#include <bindright/image.h>

/*
 * Programs and libraries that write without being asked to: where, and what happens if they cannot.
 * Each row says where that is known from, and when somebody looked. Only what is written at every
 * start, or at the first use of what the library is there for; what quietly does without stands
 * here only if it tells so at every start.
 */

// clang-format off
static const struct br_library all[] = {
	{"supervisor", true, .pip = "supervisor", .system = "supervisor", .programs = "supervisord", .files = "bin/supervisord",
		.config = "/etc/supervisor/supervisord.conf|/etc/supervisord.conf",
		.paths = {
			{"its log file", .key = "logfile", .path = "/var/log/supervisor/supervisord.log", .is_file = true},
			{"its PID file", .key = "pidfile", .path = "/var/run/supervisord.pid", .is_file = true},
			{"the logs of its programs", .key = "childlogdir", .path = "/var/log/supervisor"},
			{"its socket", .key = "file", .path = "/var/run/supervisor.sock", .is_file = true}},
		.effect = "it does not start (of the PID file it only complains)",
		.advice = "in supervisord.conf: logfile=/dev/null, pidfile=/tmp/supervisord.pid; or chown the directories in the Dockerfile",
		.source = "supervisord.org, Configuration File, and Debian's supervisor package, 2025-11"},
	{"nginx", true, .system = "nginx|nginx-light|nginx-full|nginx-core|nginx-extras", .programs = "nginx", .files = "sbin/nginx",
		.config = "/etc/nginx/nginx.conf",
		.paths = {{"its PID file", .key = "pid", .path = "/run/nginx.pid", .is_file = true}},
		.effect = "it does not start",
		.advice = "write pid /tmp/nginx.pid; into nginx.conf (and *_temp_path below /tmp), or use nginxinc/nginx-unprivileged",
		.source = "nginx/docker-nginx-unprivileged, and nginx/docker-nginx issue 524, 2025-11"},
	{"Jupyter", true, .pip = "jupyter|jupyterlab|notebook|jupyter-server", .programs = "jupyter|jupyter-lab|jupyter-notebook|jupyter-server",
		.paths = {{"its runtime files", .variables = "JUPYTER_RUNTIME_DIR|JUPYTER_DATA_DIR/runtime|XDG_DATA_HOME/jupyter/runtime", .path = "$HOME/.local/share/jupyter/runtime"}},
		.effect = "it does not start",
		.advice = "set HOME, or JUPYTER_RUNTIME_DIR, to a directory of the user's own",
		.source = "jupyter_core paths.py, and jupyter/docker-stacks issue 885, 2025-11"},
	{"Hugging Face", false, .pip = "huggingface-hub|huggingface_hub|transformers|datasets|diffusers|sentence-transformers|sentence_transformers",
		.files = "site-packages/huggingface_hub|dist-packages/huggingface_hub", .own = "HF_HOME|HF_HUB_CACHE|HUGGINGFACE_HUB_CACHE|TRANSFORMERS_CACHE",
		.unless = "HF_HUB_OFFLINE|TRANSFORMERS_OFFLINE",
		.paths = {{"its cache", .variables = "HF_HUB_CACHE|HUGGINGFACE_HUB_CACHE|TRANSFORMERS_CACHE|HF_HOME|XDG_CACHE_HOME/huggingface", .path = "$HOME/.cache/huggingface"}},
		.effect = "it cannot download models or data sets",
		.advice = "set HF_HOME to a directory that the user can write, best a mount",
		.source = "huggingface_hub, Environment variables, and huggingface/transformers issue 13472, 2025-11"},
	{"PyTorch Hub", false, .own = "TORCH_HOME",
		.paths = {{"its pretrained weights", .variables = "TORCH_HOME", .path = "$HOME/.cache/torch"}},
		.effect = "it cannot download pretrained weights",
		.advice = "set TORCH_HOME to a directory that the user can write, best a mount",
		.source = "pytorch docs, torch.hub, 2025-11"},
	{"Whisper", false, .pip = "openai-whisper", .files = "site-packages/whisper|dist-packages/whisper",
		.paths = {{"its models", .variables = "XDG_CACHE_HOME/whisper", .path = "$HOME/.cache/whisper"}},
		.effect = "it cannot download a model",
		.advice = "set XDG_CACHE_HOME to a directory that the user can write",
		.source = "openai/whisper __init__.py, 2025-11"},
	{"librosa (numba)", false, .pip = "librosa", .files = "site-packages/librosa|dist-packages/librosa", .own = "NUMBA_CACHE_DIR",
		.paths = {{"its compiled functions", .variables = "NUMBA_CACHE_DIR|XDG_CACHE_HOME/numba", .path = "$HOME/.cache/numba"}},
		.effect = "its import fails: cannot cache function, no locator available",
		.advice = "set NUMBA_CACHE_DIR=/tmp/numba",
		.source = "librosa/librosa issue 1156, and numba/numba issue 5566, 2025-11"},
	{"Matplotlib", false, .pip = "matplotlib|seaborn", .files = "site-packages/matplotlib|dist-packages/matplotlib", .own = "MPLCONFIGDIR",
		.paths = {{"its font cache", .variables = "MPLCONFIGDIR|XDG_CONFIG_HOME/matplotlib", .path = "$HOME/.config/matplotlib"}},
		.effect = "it warns, and makes its cache anew below /tmp at every start",
		.advice = "set MPLCONFIGDIR=/tmp/matplotlib",
		.source = "matplotlib __init__.py, 2025-11"},
};
// clang-format on

size_t br_libraries(const struct br_library **libraries) {
	*libraries = all;
	return sizeof(all) / sizeof(all[0]);
}
