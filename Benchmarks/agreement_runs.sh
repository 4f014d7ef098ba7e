#!/usr/bin/env bash
# Runs OnePass for results/agreement.md: naive, replay (k = 3, 10 %) and multi-epoch (4 passes) on the first 10,000 examples
# of CIFAR-10, ResNet-20, batch size 128, seed by seed. Existing runs are skipped.
#
#   Benchmarks/agreement_runs.sh ONEPASS DATA OUTPUT "1 2 3 4 5"
#
# DATA contains cifar10-train.tar.zst, cifar10-test.tar.zst and cifar10-classes.txt. peers/run_cells.sh runs the peer;
# agreement.py compares the results.
set -euo pipefail
onepass=$1 data=$2 output=$3 seeds=$4

run() { # run NAME SEED OPTION…
  local folder=$output/$1-$2 seed=$2
  shift 2
  [[ ! -e $folder/result.json ]] || return 0
  "$onepass" train --data "wds:$data/cifar10-train.tar.zst" --eval-data "wds:$data/cifar10-test.tar.zst" \
    --classes "$data/cifar10-classes.txt" --limit 10000 --model resnet20 --seed "$seed" --output "$folder" "$@"
}

mkdir -p "$output"
for seed in $seeds; do
  run naive "$seed" --method naive
  run replay "$seed" --method replay --replay-steps 3 --storage 10%
  run multi-epoch "$seed" --method multi-epoch --epochs 4
done
