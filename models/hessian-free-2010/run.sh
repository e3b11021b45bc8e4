#!/bin/sh
# Hessian-free from sparse random weights, one seed: sh models/hessian-free-2010/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

tune() { # FILE SETTINGS [OPTIONS]
    file=$1 settings=$2
    shift 2
    deepnet finetune mnist -c "$settings" --seed "$seed" -o "$runs/$file.h5" --resume --log "$runs/$file.log" "$@"
}
tune first first.toml
tune second second.toml --from "$runs/first.h5"
tune third third.toml --from "$runs/second.h5"
tune fourth fourth.toml --from "$runs/third.h5"
tune net settings.toml --from "$runs/fourth.h5"
deepnet evaluate "$runs/net.h5" mnist --json > "$runs/net.json"
deepnet evaluate "$runs/net.h5" mnist --split train --json > "$runs/train.json"
python ../record.py . --seed "$seed" --name "Hessian-free" --result "$runs/net.json" --train "$runs/train.json" \
    --log "$runs/first.log" --log "$runs/second.log" --log "$runs/third.log" --log "$runs/fourth.log" --log "$runs/net.log"
deepnet visualize "$runs/net.h5" -o history.png --kind history --force
