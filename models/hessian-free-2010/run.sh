#!/bin/sh
# Hessian-free from sparse random weights, one seed: sh models/hessian-free-2010/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
logs=

tune() { # SETTINGS FILE [FROM]
    deepnet finetune mnist -c "$1.toml" --seed "$seed" -o "$runs/$2.h5" --resume --log "$runs/$2.log" ${3:+--from "$runs/$3.h5"}
    logs="$logs --log $runs/$2.log"
}
tell() { # NAME FILE
    deepnet evaluate "$runs/$2.h5" mnist --json > "$runs/$2.json"
    deepnet evaluate "$runs/$2.h5" mnist --split train --json > "$runs/$2-train.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$2.json" --train "$runs/$2-train.json" $logs
    deepnet visualize "$runs/$2.h5" -o history.png --kind history --force
}
tune first first
tune second second first
tune third third second
tune fourth fourth third
tune settings net fourth
tell "Hessian-free" net
tune full full net
tell "Hessian-free, 2,000 updates more" full
