#!/bin/sh
# Stands for a model server.
set -eu
model=$(cat /models/model.pt)
echo "serving $model as uid $(id -u)"
