#!/bin/sh
# The published results, seed after seed; what a card already holds is passed over, what was cut goes on.
set -eu
cd "$(dirname "$0")"
for seed in 0 1 2; do
    for model in */run.sh; do
        folder=$(dirname "$model")
        if python record.py "$folder" --seed "$seed" --has; then
            echo "$folder, seed $seed: done"
        else
            echo "$folder, seed $seed"
            sh "$model" "$seed"
        fi
    done
done
