#!/bin/sh
# Stands for a model server: what counts is that it reads every model, and nothing else.
set -eu
for model in "$1/public/model.bin" "$1/private/model.bin"; do
	weights=$(cat "$model")
	echo "serving $model as uid $(id -u): $weights"
done
