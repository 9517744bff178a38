#!/bin/sh
# Stands for a training run.
set -eu
examples=$(cat /data/train.csv)
echo "loss of [$examples]" >/runs/log
echo "weights of [$examples]" >/models/model.pt
echo "trained as uid $(id -u)"
