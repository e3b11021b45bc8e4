#!/bin/sh
# Stacked denoising autoencoders on the variations of Larochelle et al. 2007, one seed: sh models/variations/run.sh [SEED] [SET]
# Stop it whenever you like; it goes on where it stood. Naming a set trains that one alone.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

train() { # SET SHARE_OF_INPUTS_MASKED
    deepnet pretrain "$1" -c settings.toml --corruption "masking:$2" --seed "$seed" -o "$runs/$1-stack.h5" --resume \
        --log "$runs/$1-stack.log"
    deepnet finetune "$1" -c settings.toml --seed "$seed" --from "$runs/$1-stack.h5" -o "$runs/$1.h5" --resume --log "$runs/$1.log"
    deepnet evaluate "$runs/$1.h5" "$1" --json > "$runs/$1.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$1.json" --log "$runs/$1-stack.log" --log "$runs/$1.log"
}
case ${2:-mnist-basic} in mnist-basic) train mnist-basic 0.25 ;; esac
case ${2:-rectangles} in rectangles) train rectangles 0.1 ;; esac
case ${2:-convex} in convex) train convex 0.1 ;; esac
case ${2:-mnist-rot} in mnist-rot) train mnist-rot 0.25 ;; esac
case ${2:-mnist-bg-rand} in mnist-bg-rand) train mnist-bg-rand 0.4 ;; esac
