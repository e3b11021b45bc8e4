#!/bin/sh
# The same net with the margins of an L2-SVM and with a softmax, one seed: sh models/svm-output/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

tune() { # NAME FILE OPTIONS
    name=$1
    file=$2
    shift 2
    deepnet finetune mnist -c settings.toml "$@" --seed "$seed" -o "$runs/$file.h5" --resume --log "$runs/$file.log"
    deepnet evaluate "$runs/$file.h5" mnist --json > "$runs/$file.json"
    python ../record.py . --seed "$seed" --name "$name" --result "$runs/$file.json" --log "$runs/$file.log"
}
tune "L2-SVM output" svm --loss squared_hinge:0.003 --learning-rate linear:0.05:0 --epochs 200
tune "softmax output" softmax --loss cross_entropy --learning-rate linear:0.1:0
deepnet compare mnist "$runs/svm.h5" "$runs/softmax.h5" --json > "$runs/compare.json"
