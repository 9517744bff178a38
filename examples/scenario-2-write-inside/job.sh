#!/bin/sh
# Stands for a job that writes beside its program.
set -eu
echo "working as uid $(id -u) in $(pwd) …"
echo "results of $(date -u +%FT%TZ)" >"$1/results"
echo "wrote $1/results"
