#!/bin/sh
# How deep can a net be and still learn? One to ten hidden layers, three units, four ways to begin: sh models/depth/run.sh [SEED]
# Stop it whenever you like; what is there is passed over.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"
[ -f runs/mnist.npz ] || python table.py --data runs/mnist.npz

layers() { # 100,100,100 for a depth of 3
    printf '100%.0s,' $(seq "$1") | sed 's/,$//'
}

for depth in 1 2 3 4 5 6 8 10; do
    widths=$(layers "$depth")
    for unit in logistic tanh relu; do
        for start in gaussian glorot sparse pre-trained; do
            for rate in 0.1 0.01; do
                name=$runs/$unit-$start-$depth-$rate
                [ -f "$name.json" ] && continue
                set -- --layers "$widths" --units "$unit" --init "$start"
                [ "$start" = gaussian ] && set -- --layers "$widths" --units "$unit" --init gaussian:0.01
                if [ "$start" = pre-trained ]; then
                    [ "$unit" = tanh ] && continue # no Boltzmann machine has such units
                    stack=$runs/$unit-$depth.h5
                    [ -f "$stack" ] || deepnet pretrain runs/mnist.npz -c settings.toml --seed "$seed" -q \
                        --layers "$widths" --units "$unit" --learning-rate "$(python table.py --rate "$unit" "$depth")" -o "$stack"
                    set -- --from "$stack"
                fi
                deepnet finetune runs/mnist.npz -c settings.toml --seed "$seed" -q "$@" --learning-rate "$rate" \
                    -o "$name.h5" --force --json > "$name.part" || [ $? -eq 6 ] # diverged: no figure, which is one too
                mv "$name.part" "$name.json"
            done
        done
    done
done
python table.py "$runs"
deepnet visualize "$runs/logistic-gaussian-10-0.1.h5" -o gradients-gaussian.png --kind gradients --force
deepnet visualize "$runs/logistic-pre-trained-10-0.1.h5" -o gradients-pre-trained.png --kind gradients --force
