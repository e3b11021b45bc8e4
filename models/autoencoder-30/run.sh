#!/bin/sh
# The autoencoders of one seed, both from one pre-trained stack: sh models/autoencoder-30/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
deepnet pretrain mnist -c settings.toml --seed "$seed" -o "$runs/stack.h5" --resume --log "$runs/stack.log"

tune() { # NAME FILE START SETTINGS LOGS [OPTIONS]
    name=$1 file=$runs/$2 start=$runs/$3.h5 settings=$4 logs=$5; shift 5
    deepnet finetune mnist -c "$settings" --seed "$seed" --from "$start" -o "$file.h5" --resume --log "$file.log" "$@"
    deepnet evaluate "$file.h5" mnist --logistic-pca --json > "$file.json"
    deepnet evaluate "$file.h5" mnist --split train --json > "$file-train.json"
    set --
    for log in $logs; do set -- "$@" --log "$runs/$log.log"; done
    python ../record.py . --seed "$seed" --name "$name" --result "$file.json" --train "$file-train.json" "$@"
}
tune "pre-trained, Nesterov, moved images" best stack best.toml "stack best"
tune "pre-trained, CG" cg stack settings.toml "stack cg"
tune "pre-trained, CG, 20 epochs more" cg-more cg settings.toml "stack cg cg-more" --epochs 20
deepnet compare mnist "$runs/cg-more.h5" "$runs/best.h5" --log "$runs/cg-more.log" --log "$runs/best.log" -o chart.png --force
deepnet visualize "$runs/best.h5" mnist --kind reconstructions -o reconstructions.png --force
