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
logs="--log $stack.log"

tune() { # SETTINGS START FILE NAME
    deepnet finetune mnist -c "$1.toml" --seed "$seed" --from "$2.h5" -o "$runs/$3.h5" --resume --log "$runs/$3.log"
    deepnet evaluate "$runs/$3.h5" mnist --json > "$runs/$3.json"
    logs="$logs --log $runs/$3.log"
    python ../record.py . --seed "$seed" --name "$4" --result "$runs/$3.json" $logs
}
tune settings "$stack" first "pre-trained, dropout"
tune second "$runs/first" net "400 epochs more"
