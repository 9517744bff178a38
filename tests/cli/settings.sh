#!/usr/bin/env bash
# Podman's settings count: containers.conf and its drop-ins, the own file, the environment; and their errors are shown where they are.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p etc/containers/containers.conf.d usr/share/containers home/rl/.config/containers/containers.conf.d data more
printf 'root:x:0:0::/root:/bin/sh\nrl:x:2001:2001::/home/rl:/bin/sh\n' >etc/passwd
printf 'root:x:0:\nrl:x:2001:\n' >etc/group
printf 'rl:100000:65536\n' >etc/subuid
cp etc/subuid etc/subgid
chown -R 2001:2001 home data
chmod -R a+rX .
rootless=(--sysroot "$T/work" --engine podman-rootless --engine-user rl)
root=(--sysroot "$T/work" --engine podman)
line=(-- podman run -v "$T/work/data:/data" --user 1001:1001 image)

printf '[containers]\ndefault_capabilities = ["CHOWN"]\numask = "0002"\n' >usr/share/containers/containers.conf
printf '[containers]\nuserns = "keep-id"\nvolumes = [\n  "%s/more:/more:ro",\n]\n' $T/work >etc/containers/containers.conf
printf '[containers]\nuserns = "nomap"\n' >etc/containers/containers.conf.d/b.conf
printf '[containers]\nuserns = "keep-id:uid=1001,gid=1001"\n' >home/rl/.config/containers/containers.conf
golden 0 bindright inspect --origins "${rootless[@]}" "${line[@]}"
golden 0 bindright check "${rootless[@]}" "${line[@]}"
printf '[containers]\nuserns = "host"\n' >home/rl/.config/containers/containers.conf.d/a.conf
golden 1 bindright check "${rootless[@]}" "${line[@]}"
# The caller's environment is not rl's.
golden 1 env PODMAN_USERNS=keep-id:uid=1001,gid=1001 "$BINDRIGHT" check "${rootless[@]}" "${line[@]}"
rm home/rl/.config/containers/containers.conf.d/a.conf

# Root's: its own environment counts, and what the line says counts more.
golden 1 bindright check "${root[@]}" "${line[@]}"
golden 2 env PODMAN_USERNS=bogus "$BINDRIGHT" inspect "${root[@]}" "${line[@]}"
golden 0 env PODMAN_USERNS=bogus "$BINDRIGHT" inspect "${root[@]}" -- podman run --userns host "${line[@]:3}"
golden 2 env CONTAINERS_CONF=/no/file "$BINDRIGHT" check "${root[@]}" "${line[@]}"

# Errors.
rm etc/containers/containers.conf.d/b.conf
wrong() {
	printf '%b' "$1" >etc/containers/containers.conf
	golden 2 bindright check "${root[@]}" "${line[@]}"
}
wrong '[containers]\numask = 0o22\n'
wrong '[containers]\numask = "99"\n'
wrong '[containers\n'
wrong '[containers]\nvolumes = "/a:/b"\n'
wrong '[containers]\nvolumes = ["/a:b"]\n'
wrong '[containers]\ndefault_capabilities = ["CHWON"]\n'
wrong '[containers]\ndefault_capabilities = ["all"]\n'
rm etc/containers/containers.conf

# Root reads for rl what rl may read, not more.
printf '[secret]\nkey = "hidden\n' >private
chmod 600 private
ln -sf "$T/work/private" home/rl/.config/containers/containers.conf
chown -h 2001:2001 home/rl/.config/containers/containers.conf
golden 2 bindright check "${rootless[@]}" "${line[@]}"
rm home/rl/.config/containers/containers.conf
ln private home/rl/.config/containers/containers.conf
golden 2 bindright check "${rootless[@]}" "${line[@]}"
done_golden
