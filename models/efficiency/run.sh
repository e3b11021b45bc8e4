#!/bin/sh
# Does pre-training help on MNIST? 100, 1,000 and all labels: sh models/efficiency/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
[ "$seed" = 0 ] || exit 0 # five draws are five seeds already
mkdir -p runs
deepnet efficiency mnist -c settings.toml --seed "$seed" -o runs/report.html --resume --log runs/report.log --json > runs/part.json
mv runs/part.json runs/report.result.json
python table.py runs/report.result.json --log runs/report.log
