#!/bin/sh
# The autoencoders of one seed: pre-trained with CG, and from sparse random weights: sh models/autoencoder-30/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
deepnet pretrain mnist -c settings.toml --seed "$seed" -o "$runs/stack.h5" --resume --log "$runs/stack.log"
deepnet finetune mnist -c settings.toml --seed "$seed" --from "$runs/stack.h5" -o "$runs/cg.h5" --resume --log "$runs/cg.log"
deepnet evaluate "$runs/cg.h5" mnist --json > "$runs/cg.json"
python ../record.py . --seed "$seed" --name "pre-trained, CG" --result "$runs/cg.json" --log "$runs/stack.log" --log "$runs/cg.log"
deepnet finetune mnist -c random.toml --seed "$seed" -o "$runs/random.h5" --resume --log "$runs/random.log"
deepnet evaluate "$runs/random.h5" mnist --json > "$runs/random.json"
python ../record.py . --seed "$seed" --name "sparse random, Nesterov" --result "$runs/random.json" --log "$runs/random.log"
