#!/bin/sh
# The autoencoders of one seed, both from one pre-trained stack: sh models/autoencoder-30/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
deepnet pretrain mnist -c settings.toml --seed "$seed" -o "$runs/stack.h5" --resume --log "$runs/stack.log"

tune() { # NAME FILE SETTINGS
    deepnet finetune mnist -c "$3" --seed "$seed" --from "$runs/stack.h5" -o "$runs/$2.h5" --resume --log "$runs/$2.log"
    deepnet evaluate "$runs/$2.h5" mnist --logistic-pca --json > "$runs/$2.json"
    deepnet evaluate "$runs/$2.h5" mnist --split train --json > "$runs/$2-train.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$2.json" --train "$runs/$2-train.json" \
        --log "$runs/stack.log" --log "$runs/$2.log"
}
tune "pre-trained, Nesterov, moved images" best best.toml
tune "pre-trained, CG" cg settings.toml
deepnet compare mnist "$runs/cg.h5" "$runs/best.h5" --log "$runs/cg.log" --log "$runs/best.log" -o chart.png --force
deepnet visualize "$runs/best.h5" mnist --kind reconstructions -o reconstructions.png --force
