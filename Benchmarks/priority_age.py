#!/usr/bin/env python3
"""Measures how much of the variance of the stored priorities the age of the items explains, under `--priority-timing insertion`.

    for seed in 1 2 3; do
      onepass train --data wds:cifar10-train.tar.zst --limit 10000 --model resnet20 --replay-steps 1 --threads 1 --seed $seed --output runs/age-$seed
    done
    Benchmarks/priority_age.py runs/age-* >results/records/priority-age.csv

The squared correlations (R²) of the priorities in `checkpoint/memory.csv` with the position of the item in the stream and with its
e^(-loss). The last column has the priorities that the same losses have with the α of the last step, as under `--priority-timing current`.
"""

import csv
import json
import math
import sys

import numpy


def explained(x, y):
    return float(numpy.corrcoef(x, y)[0, 1] ** 2)


def main():
    print("run,commit,items,r2_position,r2_exp_loss,r2_position_current")
    for folder in sys.argv[1:]:
        with open(f"{folder}/result.json") as file:
            result = json.load(file)
        with open(f"{folder}/checkpoint/memory.csv") as file:
            rows = list(csv.DictReader(file))
        position, loss, priority = [numpy.array([float(row[name]) for row in rows]) for name in ("id", "loss", "priority")]
        steps = result["plan"]["steps"]
        alpha = 1 - numpy.cos(math.pi / 2 * (position // result["configuration"]["batchSize"]) / steps)
        # The items are those of eq. 1 with the α of their insertion.
        assert numpy.abs(priority - (1 - alpha * numpy.exp(-loss))).max() < 1e-6
        last = 1 - math.cos(math.pi / 2 * (steps - 1) / steps)
        current = 1 - last * numpy.exp(-loss)
        print(f"{folder.rstrip('/').split('/')[-1]},{result.get('commit', '')[:12]},{len(rows)},{explained(position, priority):.3f},"
              f"{explained(numpy.exp(-loss), priority):.3f},{explained(position, current):.3f}")


if __name__ == "__main__":
    main()
