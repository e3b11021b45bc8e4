#!/bin/sh
# The six-number autoencoder of curves, one seed, as trained in 2013 and as before 2006: sh models/curves/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

tune() { # NAME FILE
    deepnet finetune curves -c "$2.toml" --seed "$seed" -o "$runs/$2.h5" --resume --log "$runs/$2.log"
    deepnet evaluate "$runs/$2.h5" curves --logistic-pca --json > "$runs/$2.json"
    deepnet evaluate "$runs/$2.h5" curves --split train --json > "$runs/$2-train.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$2.json" --train "$runs/$2-train.json" --log "$runs/$2.log"
}
tune "N(0, 0.1²), gradient descent" plain
tune "sparse random, Nesterov" settings
deepnet compare curves "$runs/settings.h5" "$runs/plain.h5" --log "$runs/settings.log" --log "$runs/plain.log" -o chart.png --force
deepnet visualize "$runs/settings.h5" curves --kind reconstructions -o reconstructions.png --force
