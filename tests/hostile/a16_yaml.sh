#!/usr/bin/env bash
# A16: a compose file costs little, however it is made, and says one thing only.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir data
# refused SECONDS: what stands in compose.yaml is no input, and that is known soon.
refused() {
	want 2 timeout 20 "$BINDRIGHT" check
	kept
}
keep data
python3 -c 'print("services: " + "[" * 200000)' >compose.yaml && refused
python3 -c 'print("services: " + "{a: " * 100000)' >compose.yaml && refused
python3 -c 'print("services:\n" + "".join("  " * i + "a:\n" for i in range(1, 2000)))' >compose.yaml && refused
python3 -c 'print("x:\n" + "".join(f"  a{i}: &b{i} x\n" for i in range(200000)))' >compose.yaml && refused
python3 -c '
print("a0: &a0 [x, x]")
for i in range(1, 40):
    print(f"a{i}: &a{i} [*a{i-1}, *a{i-1}, *a{i-1}]")
print("services: {app: {image: x, command: *a39}}")' >compose.yaml && refused
printf 'services:\n  app: &a\n    image: x\n    x-a: *a\n' >compose.yaml && refused
printf 'services:\n  app: {image: x, user: "1001"}\n  app: {image: x, user: "0"}\n' >compose.yaml && refused
printf 'services:\n  app: {image: x, user: "1001", user: "0"}\n' >compose.yaml && refused
printf 'services:\n  app: {image: "a\001b"}\n' >compose.yaml && refused
printf 'services:\n  app: {image: a\000b}\n' >compose.yaml && refused
python3 -c 'print("services: {a: {image: x}}" + " " * 400000)' >compose.yaml && refused
python3 -c 'print("%a" + " b" * 200000 + "\n---\nservices: {a: {image: x}}")' >compose.yaml && refused
head -c 2000000 /dev/zero | tr '\0' '#' >compose.yaml && refused
mkfifo pipe && want 2 timeout 20 "$BINDRIGHT" check -f pipe
want 2 timeout 20 "$BINDRIGHT" check -f /dev/zero
# 40,000 keys in one map are no attack.
python3 -c '
print("services:\n  app:\n    image: x\n    labels:")
for i in range(40000):
    print(f"      k{i}: v")' >compose.yaml
want 0 timeout 20 "$BINDRIGHT" check -q
