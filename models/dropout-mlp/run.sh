#!/bin/sh
# A rectifier net with dropout and limited weights, one seed: sh models/dropout-mlp/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
deepnet finetune mnist -c settings.toml --seed "$seed" -o "$runs/net.h5" --resume --log "$runs/net.log"
deepnet evaluate "$runs/net.h5" mnist --json > "$runs/net.json"
python ../record.py . --seed "$seed" --name "random weights, dropout" --result "$runs/net.json" --log "$runs/net.log"
