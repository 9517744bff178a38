#!/bin/sh
# Stands for a training run: what counts is that it ends by writing a file where it is told to.
set -eu
models=$1
echo "training as uid $(id -u), gid $(id -g) …"
echo "weights of $(date -u +%FT%TZ)" >"$models/model.pt"
echo "saved $models/model.pt"
