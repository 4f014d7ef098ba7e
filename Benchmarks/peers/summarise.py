#!/usr/bin/env python3
"""Prints mean top-1 accuracy, standard error and number of seeds of each method in a JSON-lines file of records.

    python summarise.py results.jsonl

Two means agree within their standard errors when |a - b| is below about 2 sqrt(se_a^2 + se_b^2).
"""

import json
import math
import statistics
import sys
from collections import defaultdict

RESULTS = {
    "seed", "top1", "correct", "test_examples", "images_per_second", "training_seconds", "wall_seconds",
    "peak_rss_bytes", "updates", "examples_backpropagated", "memory_examples", "memory_peak_bytes", "threads",
    "torch", "python", "note",
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    groups = defaultdict(dict)
    with open(sys.argv[1]) as lines:
        for line in filter(str.strip, lines):
            record = json.loads(line)
            # All other keys are configuration; runs with different configurations are not averaged.
            key = ", ".join(f"{name} {value}" for name, value in record.items() if name not in RESULTS)
            groups[key].setdefault(record["seed"], record)
    print("| top-1 (mean ± standard error) | seeds | lowest | highest | examples back-propagated | configuration |")
    print("|---|---|---|---|---|---|")
    for key, runs in groups.items():
        top1 = [100 * record["top1"] for record in runs.values()]
        error = f"{statistics.stdev(top1) / math.sqrt(len(top1)):.2f}" if len(top1) > 1 else "–"
        examples = sorted({record["examples_backpropagated"] for record in runs.values()})
        print(f"| {statistics.mean(top1):.2f} ± {error} | {len(top1)} | {min(top1):.2f} | {max(top1):.2f} "
              f"| {', '.join(map(str, examples))} | {key} |")


if __name__ == "__main__":
    main()
