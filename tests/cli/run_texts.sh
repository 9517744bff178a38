#!/usr/bin/env bash
# Run lines between prose, in sentences, in words of other commands; and lines that end too early.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"
export HOME=/home/me
unset SUDO_UID SUDO_GID GONE
see() { golden 0 bindright inspect "$@"; }
wrong() { golden 2 bindright inspect "$@"; }

# Indented prose and fences without a run line may say what they like.
cat >prose.md <<'END'
1.  Size

    It doesn't matter how large it is, don't you think? Use docker's volumes.

    | what | why |
    | `-v /s:/s` | mounts the host's docker socket to create things |

```
it's no command, but this is: X=5
```

```console
# don't be surprised by this comment
$ docker run -u 1:1 -v /a:/a one
# docker run -u 2:2 -v /b:/b two
# isn't it nice
```

```
export DATA=/srv/data
```

    docker run -u 3:3 -v $DATA:/data three
END
see -f prose.md

# In sentences: only where there is no block, and only what is whole.
cat >sentence.md <<'END'
Run `sudo docker run --user 5:5 -v $PWD/data:/data me/one` first, not `docker run` or `docker run -v /x:/x ...`;
`docker run -v <dir>:/x img` and `docker ps -a | grep run` say nothing. Then `podman` is no more.
```yaml
x: "`docker run -v /no:/no img`"
```
END
see -f sentence.md

cat >nested.sh <<'END'
alias tool='docker run --rm -u 4:4 -v "$PWD:/w" me/tool'
alias ll='ls -l'
bash -lc 'cd /srv && docker run -u 1:1 -v ./a:/a me/bash'
sudo sh -ec "docker run -u 2:2 -v /b:/b me/sh"
eval "docker run -u 3:3 -v /c:/c me/eval"
sh script.sh 'docker run no'
docker run -u 6:6 -v ./here:/h me/after
sh -c 'echo "it'\''s'
END
see -f nested.sh
# shellcheck disable=SC2016 # for bindright to read
printf '%s\n' 'sh -c "docker run -v $GONE:/x img"' >unknown.sh
wrong -f unknown.sh

# What matters to nobody may be unknown; what an option begins with may not.
# shellcheck disable=SC2016 # for bindright to read
printf '%s\n' 'docker run --name $GONE --hostname $(some name) -u 1:1 -v /a:/a img' >name.sh
see -f name.sh
# shellcheck disable=SC2016 # for bindright to read
printf '%s\n' 'docker run -v /a:/a "$1-img"' >begins.sh
wrong -f begins.sh
printf '%s\n' 'docker run -v </path/to/data>:/data -v <./x>:/x img' >placeholder.sh
wrong -f placeholder.sh
printf '%s\n' 'cat </etc/passwd >out; docker run -v /a:/a img </dev/null >/dev/null' >redirected.sh
see -f redirected.sh

# Lines that end before the image.
printf '%s\n' 'docker run -e URL=http://x/?a=b&c=d -v /a:/a img' >ends-1.sh
# shellcheck disable=SC1003 # a backslash is meant
printf '%s\n' 'docker run -d \' '  -v /a:/a' '  img' >ends-2.sh
printf '%s\n' 'docker run -e MODS=a|b -v /a:/a img' >ends-3.sh
printf '%s\n' 'docker run -v /a:/a' >ends-4.sh
for n in 1 2 3 4; do
	wrong -f ends-$n.sh
done
wrong -- docker run -v /a:/a

# Podman and nerdctl take the client's own options behind the verb too, Docker does not.
see -- nerdctl run --snapshotter=soci -u 1:1 -v /a:/a img
see -- podman run --log-level debug -u 1:1 -v /a:/a img
wrong -- docker run --log-level debug -u 1:1 img
see -- nvidia-docker run -u 1:1 -v /a:/a img
done_golden
