#!/bin/sh
# The deep belief net of models/mnist-dbn, fine-tuned with dropout, one seed: sh models/dbn-dropout/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood. The stack is that of mnist-dbn, made here if it is not there yet.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
stack=../mnist-dbn/runs/$seed/stack
mkdir -p "$runs" "$(dirname "$stack")"
deepnet pretrain mnist -c ../mnist-dbn/settings.toml --seed "$seed" -o "$stack.h5" --resume --log "$stack.log"
deepnet finetune mnist -c settings.toml --seed "$seed" --from "$stack.h5" -o "$runs/net.h5" --resume --log "$runs/net.log"
deepnet evaluate "$runs/net.h5" mnist --json > "$runs/net.json"
python ../record.py . --seed "$seed" --name "pre-trained, dropout" --result "$runs/net.json" --log "$stack.log" --log "$runs/net.log"
