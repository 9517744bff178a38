# fish completion for bindright
complete -c bindright -f
set -l commands check plan fix reclaim undo history explain inspect id codes help
set -l none "not __fish_seen_subcommand_from $commands"
set -l input "$none; or __fish_seen_subcommand_from check plan fix reclaim"
set -l read "$none; or __fish_seen_subcommand_from check plan fix reclaim explain inspect"
set -l judge "$none; or __fish_seen_subcommand_from check plan"
set -l change "__fish_seen_subcommand_from plan fix"
set -l taken "__fish_seen_subcommand_from plan fix reclaim"
set -l report "$none; or __fish_seen_subcommand_from check plan fix reclaim undo history explain inspect id codes"
set -l answer "__fish_seen_subcommand_from undo history explain inspect id codes"
set -l explain "__fish_seen_subcommand_from explain"

complete -c bindright -n "$none" -a check -d 'find what does not fit, and say why'
complete -c bindright -n "$none" -a plan -d 'show what fix would do, who would gain and who would lose'
complete -c bindright -n "$none" -a fix -d 'make it fit: plan, ask, change, check again'
complete -c bindright -n "$none" -a reclaim -d 'give back to you what containers left behind'
complete -c bindright -n "$none" -a undo -d 'put back what a fix changed'
complete -c bindright -n "$none" -a history -d 'list past fixes'
complete -c bindright -n "$none" -a explain -d 'show the whole decision for one path, step by step'
complete -c bindright -n "$none" -a inspect -d 'show what was understood: identities and mounts'
complete -c bindright -n "$none" -a id -d "say who a container's UID is on the host"
complete -c bindright -n "$none" -a codes -d 'explain a finding code'
complete -c bindright -n "$none" -a help -d 'explain a command and its options'
complete -c bindright -n '__fish_seen_subcommand_from help' -a "$commands"

complete -c bindright -n "$read" -s f -l file -r -F -d 'read this file'
complete -c bindright -n "$read" -l container -x -d 'a container that the engine has'
complete -c bindright -n "$read" -l kind -x -a 'compose run-line oci' -d 'what the input is'
complete -c bindright -n "$read" -l project-directory -r -F -d 'where relative paths start'
complete -c bindright -n "$read" -l env-file -r -F -d 'read variables from here instead of .env'
complete -c bindright -n "$read" -l profile -x -d 'switch a profile on'
complete -c bindright -n "$read" -l no-deps -d 'leave out what the named services depend on'
complete -c bindright -n "$read" -s p -l project-name -x -d "the project's name"
complete -c bindright -n "$read" -l env -x -d 'a variable for interpolation'
complete -c bindright -n "$read; or __fish_seen_subcommand_from id" -l engine -x -a 'docker docker-rootless podman podman-rootless oci' -d 'whose rules apply'
complete -c bindright -n "$read; or __fish_seen_subcommand_from id" -l engine-user -x -a '(__fish_complete_users)' -d 'who runs a rootless engine'
complete -c bindright -n "$read; or __fish_seen_subcommand_from id" -l engine-version -x -d 'where versions of the engine differ'
complete -c bindright -n "$read; or __fish_seen_subcommand_from id" -l daemon-config -r -F -d "Docker's daemon.json"
complete -c bindright -n "$read" -l compose-version -x -d 'where versions of compose differ'
complete -c bindright -n "$read; or __fish_seen_subcommand_from id" -l sysroot -r -F -d 'read passwd, group, subuid, daemon.json below it'
complete -c bindright -n "$read" -l image-archive -r -F -d 'take image users from this archive'
complete -c bindright -n "$read" -l user -x -d 'pin who a service runs as'
complete -c bindright -n "$input" -l need -x -d 'what is needed below this container path'
complete -c bindright -n "$input" -l exclude -x -d 'leave out matching paths below the sources'
complete -c bindright -n "$input" -l keep -x -a '(__fish_complete_users)' -d 'a host user who must keep, or get, access'
complete -c bindright -n "$input" -l fail-fast -d 'stop at the first error'
complete -c bindright -n "$input" -l depth -x -d 'look at most N levels below each source'
complete -c bindright -n "$input" -l cross-file-systems -d 'enter mount points inside a source'
complete -c bindright -n "$input" -l one-file-system -d 'do not enter them'
complete -c bindright -n "$input" -s j -l jobs -x -d 'threads that read'
complete -c bindright -n "$input; or __fish_seen_subcommand_from undo" -l progress -x -a 'auto always never' -d 'a progress line on standard error'
complete -c bindright -n "$input" -l format -x -a 'text json ndjson sarif github' -d 'how the report is written'
complete -c bindright -n "$answer" -l format -x -a 'text json' -d 'how the answer is written'
complete -c bindright -n "$report" -s o -l output -r -F -d 'where it is written'
complete -c bindright -n "$report" -l color -x -a 'auto always never' -d 'colours'
complete -c bindright -n "$report" -s q -l quiet -d 'say less'
complete -c bindright -n "$report" -s v -l verbose -d 'say more'
complete -c bindright -n "$none; or __fish_seen_subcommand_from check" -l files-from -r -F -d 'judge the paths that this file lists'
complete -c bindright -n "$none; or __fish_seen_subcommand_from check" -s 0 -l null -d 'the list is separated by NUL bytes'
complete -c bindright -n "$judge" -l fail-on -x -a 'error warning info' -d 'from which severity on to exit with 1'
complete -c bindright -n "$change" -l strategy -x -a 'auto acl chown group' -d 'how access is given'
complete -c bindright -n "$change" -l create-users -d 'create the missing matching host user and group'
complete -c bindright -n "$change" -l no-create-users -d 'do not create them'
complete -c bindright -n "$change" -l create-missing -d 'create missing source directories'
complete -c bindright -n "$change" -l no-create-missing -d 'do not create them'
complete -c bindright -n "$change" -l future-files -d 'make files that are created later usable too'
complete -c bindright -n "$change" -l no-future-files -d 'leave them alone'
complete -c bindright -n "$taken" -l from -x -a '(__fish_complete_users)' -d 'files of these owners may be changed too'
complete -c bindright -n "$taken" -l privileged-files -d 'also change setuid, setgid and capability-bearing files'
complete -c bindright -n "$taken" -l no-privileged-files -d 'leave them alone'
complete -c bindright -n "$taken" -l other-mounts -d 'also change what lies under mounts of containers not asked about'
complete -c bindright -n "$taken" -l max-copy-up -x -a '256M 1G' -d 'how much an overlay may copy for it'
complete -c bindright -n "$taken" -l allow-dangerous -r -F -d 'allow this source although it is refused'
complete -c bindright -n '__fish_seen_subcommand_from fix reclaim undo history' -s y -l yes -d 'do not ask'
complete -c bindright -n '__fish_seen_subcommand_from fix' -l plan -r -d 'apply exactly this saved plan'
complete -c bindright -n '__fish_seen_subcommand_from fix reclaim undo' -l dry-run -d 'show what would be done, change nothing'
complete -c bindright -n '__fish_seen_subcommand_from fix reclaim undo' -l require-jail -d 'fail rather than work without the mount jail'
complete -c bindright -n '__fish_seen_subcommand_from fix reclaim' -l resume -d 'go on where one that was cut short in these places ended'
complete -c bindright -n '__fish_seen_subcommand_from history' -l prune -x -d 'drop journals older than this, or that run\'s'
complete -c bindright -n "$explain" -l as -x -a '(__fish_complete_users)' -d 'who asks: UID[:GID][,+GROUP...], or a name'
complete -c bindright -n "$explain" -l caps -x -d 'effective capabilities'
complete -c bindright -n "$explain" -l uid-map -x -d 'map of a user namespace'
complete -c bindright -n "$explain" -l gid-map -x -d 'the same for groups'
complete -c bindright -n "$explain" -l need -x -a 'r rw rx rwx w x' -d 'what is asked for'
complete -c bindright -n "$explain" -l read-only -d 'the mount is read-only'
complete -c bindright -n "$explain" -l walk -d 'judge the directories above too'
complete -c bindright -n "$explain" -l batch -d 'answer queries of standard input'
complete -c bindright -n "$explain" -F
complete -c bindright -n '__fish_seen_subcommand_from inspect' -l origins -d 'say where every value stands'
complete -c bindright -s h -l help -d 'this help'
complete -c bindright -s V -l version -d 'the version'
