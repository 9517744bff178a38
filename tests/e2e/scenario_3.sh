#!/usr/bin/env bash
# The example of libraries that write by themselves: each fails as told, check says so before anything runs, what helps helps.
# shellcheck source=tests/e2e/lib.sh
. "${BR_TOP:?run it with make test}/tests/e2e/lib.sh" || exit 1

mkdir "$engine/bin"
ln -s "$docker" "$engine/bin/docker"
export PATH=$engine/bin:$PATH TMPDIR=$work
expect 0 "$BR_TOP/examples/scenario-3-libraries/run.sh"
says "can't create /var/log/supervisor/supervisord.log: Permission denied"
says "uid 4242, HOME=/: the cache is /.cache/huggingface"
says "can't create directory '/.cache/': Permission denied"
says "can't create directory '/root/.cache/': Permission denied"
says "BR602  uid 1001 cannot write what supervisor writes: its log file"
says "'/run/supervisord.pid'"
says "BR602  uid 4242 cannot write what Hugging Face writes: its cache"
says "'/.cache/huggingface'"
says "BR109  the container cannot reach '/root/.cache/huggingface': uid 1001"
says "logging to /var/log/supervisor/supervisord.log"
says "PID in /run/supervisor/supervisord.pid"
says "uid 4242, HOME=/tmp: the cache is /cache"
[ "$(grep -c 'downloaded to /cache/hub' "$out")" = 2 ] || die "the two do not share the cache"
[ -z "$(ls -A "$work")" ] || die "it left something in TMPDIR"
[ "$("$docker" images -q | wc -l)" = 1 ] || die "it left images"
