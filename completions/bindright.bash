# bash completion for bindright
# shellcheck shell=bash

_bindright() {
	local cur prev words cword command='' i
	local commands='check plan fix reclaim undo history explain inspect id codes help'
	local read='--file --container --kind --project-directory --env-file --profile --no-deps --project-name --env --engine
		--engine-user --engine-version --daemon-config --compose-version --sysroot --image-archive --user'
	local input="$read --need --exclude --keep --fail-fast --depth --cross-file-systems
		--one-file-system --jobs --format --output --color --progress --quiet --verbose --help --version"
	local change='--strategy --create-users --no-create-users --create-missing --no-create-missing --future-files
		--no-future-files --from --privileged-files --no-privileged-files --allow-dangerous
		--other-mounts --max-copy-up'
	local list='--format --output --color --quiet --verbose --help --version'

	COMPREPLY=()
	if declare -F _init_completion >/dev/null; then
		_init_completion -n =: || return
	else
		cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		check | plan | fix | reclaim | undo | history | explain | inspect | id | codes | help)
			command=${words[i]}
			break
			;;
		esac
	done

	case $prev in
	-f | --file | --files-from | --env-file | --image-archive | -o | --output | --plan | --allow-dangerous)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--project-directory | --sysroot)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--keep | --from | --as | --engine-user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--kind) mapfile -t COMPREPLY < <(compgen -W 'compose run-line oci' -- "$cur") && return ;;
	--engine) mapfile -t COMPREPLY < <(compgen -W 'docker docker-rootless podman podman-rootless oci' -- "$cur") && return ;;
	--format)
		case $command in
		undo | history | explain | inspect | id | codes) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur") ;;
		*) mapfile -t COMPREPLY < <(compgen -W 'text json ndjson sarif github' -- "$cur") ;;
		esac
		return
		;;
	--color | --progress) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur") && return ;;
	--fail-on) mapfile -t COMPREPLY < <(compgen -W 'error warning info' -- "$cur") && return ;;
	--strategy) mapfile -t COMPREPLY < <(compgen -W 'auto acl chown group' -- "$cur") && return ;;
	-p | --project-name | --profile | --env | --compose-version | --engine-version | --user | --need | --exclude | --depth | -j | --jobs | --prune | --max-copy-up | --caps | --uid-map | --gid-map)
		return
		;;
	esac

	local offered
	case $command in
	'') offered="$commands $input --fail-on --files-from --null" ;;
	check) offered="$input --fail-on --files-from --null" ;;
	plan) offered="$input --fail-on $change" ;;
	fix) offered="$input $change --plan --yes --dry-run --require-jail --resume" ;;
	reclaim)
		offered="$input --from --privileged-files --no-privileged-files --allow-dangerous --other-mounts
			--max-copy-up --yes --dry-run --require-jail --resume"
		;;
	undo) offered="$list --progress --yes --dry-run --require-jail" ;;
	history) offered="$list --prune --yes" ;;
	explain)
		offered="$read $list --as --caps --uid-map --gid-map --need --read-only --walk --batch"
		[ "${cur:0:1}" = - ] || { mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return; }
		;;
	inspect) offered="$read $list --origins" ;;
	id) offered="$list --engine --engine-user --engine-version --daemon-config --sysroot" ;;
	codes) offered="$list" ;;
	help) offered="$commands" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur")
}

complete -F _bindright bindright
