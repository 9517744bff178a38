#!/bin/sh
# Stands for a job that appends to a log of its own, runs a tool of the project, and publishes what that says.
set -eu
echo "run as uid $(id -u)" >>/data/runs.log
/tools/report >/data/report.html.new
mv /data/report.html.new /data/report.html
echo "published: $(cat /data/report.html)"
