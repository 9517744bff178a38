#!/usr/bin/env bash
# An overlay copies a lower file as a whole before its owner or mode changes: more than is allowed is refused, with the price.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

mkdir etc && printf 'root:x:0:0::/root:/bin/sh\nalice:x:7001:7001::/:/bin/sh\n' >etc/passwd && printf 'root:x:0:\nalice:x:7001:\n' >etc/group
mkdir lower upper inner data
truncate -s 2M lower/model && truncate -s 900M lower/fits && touch lower/small
mkdir -p lower/deep/down && touch lower/deep/down/file && chmod 750 lower/deep lower/deep/down && chown -R 7001:7001 lower/deep
chown 7001:7001 lower upper lower/*
chmod 755 lower upper && chmod 600 lower/model lower/small && chmod 666 lower/fits
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=inner overlay data || skip "no overlay here"
compose 'volumes: ["./data:/data"]'
golden 3 bindright fix --sysroot . --keep alice --yes --max-copy-up 1M
golden 1 bindright plan --sysroot . --keep alice --max-copy-up 2097151 -q
[ -z "$(ls upper)" ] || die "something was copied"
golden 0 bindright fix --sysroot . --keep alice --yes --max-copy-up 2M
[ "$(find upper -type f -printf '%f\n' | sort | xargs)" = "file model small" ] || die "not what was foreseen: $(ls upper)"
golden 0 bindright undo -q --yes
umount data
done_golden
