#!/usr/bin/env bash
# Wrong identities, needs, numbers and names, in options and in queries.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

mkdir -p data && echo 'alice:x:7001:7001::/:/bin/sh' >../passwd && mkdir -p ../etc && mv ../passwd ../etc/passwd
compose 'volumes: ["./data:/data", "./none:/none"]'
wrong() {
	golden 2 bindright "$@" --sysroot "$T"
	[ ! -s "$T/out" ] || die "something on standard output: $*"
}
wrong check --user app
wrong check --user app=
wrong check --user =1
wrong check --user app=alice
wrong check --user app=-1
wrong check --user app=1:
wrong check --user app=1:x
wrong check --user app=01
wrong check --user app=0x10
wrong check --user app=2147483648
wrong check --user ap=1
wrong check --user other=1:1
wrong check --need /data
wrong check --need /data=
wrong check --need /data=x
wrong check --need /data=wr
wrong check --need =r
wrong check --need /dat=r
wrong check --need data=r
wrong check --keep nobody-of-that-name
wrong check --keep ''
wrong check --keep 4294967295
wrong fix --from nobody-of-that-name
wrong fix --from alice,
wrong fix --from alice,bob
wrong fix --max-copy-up 0
wrong fix --max-copy-up -1
wrong fix --max-copy-up 1x
wrong fix --max-copy-up 1MB
wrong fix --max-copy-up M
wrong fix --max-copy-up ''
wrong plan --max-copy-up 99999999999999999999
wrong check --depth -1
wrong check --depth 1x
wrong check --depth 1000001
wrong check --jobs 65
wrong check --jobs many
wrong check -j ''
wrong check nosuch
wrong check ap
wrong check app nosuch
wrong explain
wrong explain data
wrong explain data data --as 1
wrong explain '' --as 1
wrong explain none --as 1
wrong explain compose.yaml/x --as 1 --walk
wrong explain compose.yaml/x --as 1
wrong explain data --as ''
wrong explain data --as bob
wrong explain data --as -1
wrong explain data --as 1:
wrong explain data --as :1
wrong explain data --as 1:alice
wrong explain data --as 1:1:1
wrong explain data --as 1,27
wrong explain data --as 1,+
wrong explain data --as 1,+nogroup-of-that-name
wrong explain data --as 1,
wrong explain data --as 4294967295
wrong explain data --as 1 --caps CAP_NOTHING
wrong explain data --as 1 --caps ''
wrong explain data --as 1 --caps CAP_CHOWN,
wrong explain data --as 1 --need q
wrong explain data --as 1 --need ''
wrong explain data --as 1 --need rr
wrong explain data --as 1 --need /data=r
wrong explain data --as 1 --need r --need w
wrong explain data --as 1 --uid-map 0:1
wrong explain data --as 1 --uid-map 0:1:2:3
wrong explain data --as 1 --uid-map a:b:c
wrong explain data --as 1 --uid-map 0:1:0
wrong explain data --as 1 --uid-map 0:4294967295:2
wrong explain data --as 1 --uid-map 0:1000:10 --uid-map 5:5000:1
wrong explain data --as 11 --uid-map 0:1000:10
wrong explain data --as 1:11 --uid-map 0:1000:10
wrong explain data --as 1 --uid-map 1:1000:10
wrong explain data --as alice --uid-map 0:1000:10
wrong explain data --as 1,+alice --uid-map 0:1000:10
wrong explain data --as 1 -f compose.yaml
wrong explain data --as 1 --user app=1
wrong explain app:/data --as 1
wrong explain app:/data --uid-map 0:1:1
wrong explain app:/nothing
wrong explain app:/none
wrong explain nosuch:/data
wrong explain app:data
wrong explain :/data
wrong inspect nosuch
wrong inspect --user app=x
wrong id
wrong id alice
wrong id -- 1
wrong id 99999999999
golden 2 bindright codes BR
golden 2 bindright codes BR1O1
golden 2 bindright codes 108
golden 2 bindright codes ''
done_golden
