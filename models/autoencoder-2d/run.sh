#!/bin/sh
# The map of MNIST in two numbers, pre-trained and with rectifiers, one seed: sh models/autoencoder-2d/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

draw() { # NAME FILE PICTURE [LOGS]: what a net reaches, how well neighbours agree on its map
    name=$1 file=$2 picture=$3
    shift 3
    deepnet evaluate "$runs/$file.h5" mnist --json > "$runs/$file.json"
    deepnet visualize "$runs/$file.h5" mnist --kind codes -o "$picture" --force --json > "$runs/$file-codes.json"
    python ../record.py . --seed "$seed" --name "$name" --result "$runs/$file.json" --codes "$runs/$file-codes.json" "$@"
}
deepnet pretrain mnist -c settings.toml --seed "$seed" -o "$runs/stack.h5" --resume --log "$runs/stack.log"
deepnet finetune mnist -c settings.toml --seed "$seed" --from "$runs/stack.h5" -o "$runs/net.h5" --resume --log "$runs/net.log"
draw "pre-trained" net codes.png --log "$runs/stack.log" --log "$runs/net.log"
deepnet finetune mnist -c rectifiers.toml --seed "$seed" -o "$runs/rectifiers.h5" --resume --log "$runs/rectifiers.log"
draw "rectifiers, random weights" rectifiers rectifiers.png --log "$runs/rectifiers.log"
