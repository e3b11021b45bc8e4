#!/bin/sh
# Stacked denoising autoencoders on MNIST, one seed: sh models/sda/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
deepnet pretrain mnist -c settings.toml --seed "$seed" -o "$runs/stack.h5" --resume --log "$runs/stack.log"
deepnet finetune mnist -c settings.toml --seed "$seed" --from "$runs/stack.h5" -o "$runs/net.h5" --resume --log "$runs/net.log"
deepnet evaluate "$runs/net.h5" mnist --json > "$runs/net.json"
python ../record.py . --seed "$seed" --name pre-trained --result "$runs/net.json" --log "$runs/stack.log" --log "$runs/net.log"
