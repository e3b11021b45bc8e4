#!/bin/sh
# A deep belief net learns MNIST in a few minutes: pre-training, fine-tuning, evaluation, pictures. `make mnist` runs this.
set -eu
cd "$(dirname "$0")"
mkdir -p runs
deepnet pretrain mnist -c quick.toml -o runs/quick-stack.h5 --resume
deepnet finetune mnist -c quick.toml --from runs/quick-stack.h5 -o runs/quick-net.h5 --resume
deepnet evaluate runs/quick-net.h5 mnist | tee runs/quick.txt
deepnet visualize runs/quick-stack.h5 mnist -o runs/quick-pictures/ --kind filters,reconstructions --force
deepnet visualize runs/quick-net.h5 mnist -o runs/quick-pictures/ --kind history,confusion,codes,summary --force
echo "The model is models/mnist-dbn/runs/quick-net.h5, the pictures are in models/mnist-dbn/runs/quick-pictures/"
deepnet evaluate runs/quick-net.h5 mnist --json --require 'error<=0.014' > runs/quick.json
