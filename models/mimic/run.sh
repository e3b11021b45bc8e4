#!/bin/sh
# A teacher, its student's net alone, and the student, one seed: sh models/mimic/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

tune() { # NAME FILE SETTINGS [OPTIONS]
    name=$1 file=$2 settings=$3
    shift 3
    deepnet finetune mnist -c "$settings" --seed "$seed" -o "$runs/$file.h5" --resume --log "$runs/$file.log" "$@"
    deepnet evaluate "$runs/$file.h5" mnist --teacher "$runs/teacher.h5" --json > "$runs/$file.json"
    python ../record.py . --seed "$seed" --name "$name" --result "$runs/$file.json" --log "$runs/$file.log"
}
tune teacher teacher settings.toml
tune "student's net alone" alone alone.toml
tune student student distilled.toml --teacher "$runs/teacher.h5"
