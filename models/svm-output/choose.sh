#!/bin/sh
# Which C: errors among 10,000 training cases held out, one seed: sh models/svm-output/choose.sh [SEED]
# What it printed stands in the card.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed/choose
mkdir -p "$runs"
for C in 0.1 0.01 0.003 0.001; do
    deepnet finetune mnist -c settings.toml --loss "squared_hinge:$C" --learning-rate linear:0.05:0 --epochs 200 --valid 10000 \
        --seed "$seed" -o "$runs/$C.h5" --resume --log "$runs/$C.log"
    printf 'C = %s: ' "$C"
    deepnet evaluate "$runs/$C.h5" mnist --split valid | grep '^wrong'
done
