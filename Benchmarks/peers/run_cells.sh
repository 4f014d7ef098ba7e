#!/bin/sh
# Runs the peer for each seed and method, seed by seed, one process at a time, and appends the records to OUTPUT.
# Cells with a record are skipped, so an interrupted run resumes when started again.
#
#   run_cells.sh PYTHON DATA_FOLDER OUTPUT "SEEDS" "METHODS" [options of onepass_pytorch.py ...]
#   run_cells.sh .venv/bin/python ../shared/data results.jsonl "1 2 3 4 5" "naive replay multi-epoch" --threads 1
set -eu
if [ $# -lt 5 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
python=$1 data=$2 output=$3 seeds=$4 methods=$5
shift 5
here=$(cd "$(dirname "$0")" && pwd)
for seed in $seeds; do
  for method in $methods; do
    "$python" "$here/onepass_pytorch.py" --data "$data/cifar10-train.tar.zst" \
      --eval-data "$data/cifar10-test.tar.zst" --method "$method" --seed "$seed" \
      --output "$output" --skip-recorded "$@"
  done
done
