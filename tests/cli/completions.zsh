# completions.zsh FOLDER LINE...: what zsh offers behind each line, a word a line with an empty line after each; for completions_shells.sh.
# A real interactive zsh on a pseudo-terminal; what its compadd is given goes to a file.
zmodload zsh/zpty || exit 1
folder=$1
shift
export OUT=$(mktemp)
cat >$OUT.rc <<'RC'
PROMPT= PS2= RPROMPT=
unset zle_bracketed_paste
setopt no_beep no_auto_list no_auto_menu
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
bindkey '^U' kill-whole-line
zstyle ':completion:*' insert-tab false
said() { print -r -- "# $1" >>$OUT }
starts() { said begin }
stops() { said stop }
compprefuncs=(starts)
comppostfuncs=(stops)
compadd() {
	# Calls that only ask are not answers.
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	typeset -a hits
	builtin compadd -A hits "$@"
	(( $#hits )) && print -rl -- $hits >>$OUT
	builtin compadd "$@"
}
said ready
RC
await() {
	local i
	for i in {1..600}; do
		grep -qx "# $1" $OUT && return
		sleep 0.05
	done
	print -u2 "zsh never came to: $1"
	while zpty -r -t z shown; do print -u2 -r -- "$shown"; done
	exit 1
}
fpath=($folder $fpath)
export FPATH
zpty z zsh -f -i
# What is typed before it shows its prompt is lost.
zpty -r z shown '*[#%]*'
zpty -w z "source $OUT.rc"
await ready
for line; do
	: >$OUT
	zpty -w -n z "$line"$'\t'
	await stop
	grep -v '^#' $OUT | sort -u
	print
	zpty -w -n z $'\x15'
	compprefuncs=(starts)
	: >$OUT
	zpty -w z "compprefuncs=(starts) comppostfuncs=(stops); said ready"
	await ready
done
zpty -d z
rm -f $OUT $OUT.rc
