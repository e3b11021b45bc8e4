#!/bin/sh
# A teacher, its student's net alone, and the student, one seed: sh models/mimic/run.sh [SEED]
# Stop it whenever you like; it goes on where it stood.
set -eu
cd "$(dirname "$0")"
seed=${1:-0}
runs=runs/$seed
mkdir -p "$runs"

logs=

tune() { # FILE SETTINGS [OPTIONS]
    file=$1 settings=$2
    shift 2
    deepnet finetune mnist -c "$settings" --seed "$seed" -o "$runs/$file.h5" --resume --log "$runs/$file.log" "$@"
    logs="$logs --log $runs/$file.log"
}
tell() { # NAME FILE
    deepnet evaluate "$runs/$2.h5" mnist --teacher "$runs/teacher.h5" --json > "$runs/$2.json"
    python ../record.py . --seed "$seed" --name "$1" --result "$runs/$2.json" $logs
    logs=
}
tune first settings.toml
tune teacher second.toml --from "$runs/first.h5"
tell teacher teacher
tune alone alone.toml
tell "student's net alone" alone
tune student distilled.toml --teacher "$runs/teacher.h5"
tell student student
tune moved moved.toml --teacher "$runs/teacher.h5"
tell "student, images moved" moved
