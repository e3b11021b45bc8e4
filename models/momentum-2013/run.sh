#!/bin/sh
# Nesterov's momentum from sparse random weights, one seed: sh models/momentum-2013/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

tune() { # NAME FILE [FROM]
    deepnet finetune mnist -c "$2.toml" --seed "$seed" -o "$runs/$2.h5" --resume --log "$runs/$2.log" \
        ${3:+--from "$runs/$3.h5"}
    deepnet evaluate "$runs/$2.h5" mnist --json > "$runs/$2.json"
    deepnet evaluate "$runs/$2.h5" mnist --split train --json > "$runs/$2-train.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$2.json" --train "$runs/$2-train.json" \
        ${3:+--log "$runs/$3.log"} --log "$runs/$2.log"
    deepnet visualize "$runs/$2.h5" -o history.png --kind history --force
}
tune "150,000 updates" settings
tune "150,000 updates, then 18,000 with a falling rate" fall settings
tune "750,000 updates" full
