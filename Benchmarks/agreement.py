#!/usr/bin/env python3
"""Compares the accuracies of OnePass with those of the PyTorch peer, seed by seed and method by method.

    python3 Benchmarks/agreement.py RUNS PEER.jsonl > results/agreement-table.md

RUNS is a folder of output folders of `onepass train --output`; PEER.jsonl contains the records of
peers/onepass_pytorch.py. Prints a Markdown table: mean ± standard error of top-1 accuracy in percent, number of seeds, and the
difference with its standard error, sqrt(se_a^2 + se_b^2). The means agree if the difference is below about two standard errors.
"""

import json
import math
import statistics
import sys
from collections import defaultdict
from pathlib import Path


def our_runs(folder):
    for path in sorted(Path(folder).glob("*/result.json")):
        result = json.loads(path.read_text())
        yield result["configuration"]["method"], result["configuration"]["seed"], {
            "top1": 100 * result["accuracy"]["top1"], "examples": result["compute"]["examples"],
            "updates": result["compute"]["updates"], "storage": result["storage"]["examples"]}


def peer_runs(path):
    for line in filter(str.strip, Path(path).read_text().splitlines()):
        record = json.loads(line)
        yield record["method"], record["seed"], {
            "top1": 100 * record["top1"], "examples": record["examples_backpropagated"],
            "updates": record["updates"], "storage": record["memory_examples"]}


def gather(runs):
    methods = defaultdict(dict)
    for method, seed, figures in runs:
        methods[method][seed] = figures
    return methods


def mean_and_error(values):
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else float("nan")
    return statistics.mean(values), error


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ours, peers = gather(our_runs(sys.argv[1])), gather(peer_runs(sys.argv[2]))
    print("| method | OnePass | n | PyTorch | n | difference | examples trained | updates |")
    print("|---|---|---|---|---|---|---|---|")
    for method in ("naive", "replay", "multi-epoch"):
        a, b = ours.get(method, {}), peers.get(method, {})
        if not a or not b:
            continue
        (mean_a, error_a), (mean_b, error_b) = (mean_and_error([run["top1"] for run in runs.values()])
                                                for runs in (a, b))
        work = {(run["updates"]) for runs in (a, b) for run in runs.values()}
        examples = [sorted({run["examples"] for run in runs.values()}) for runs in (a, b)]
        both = " / ".join(", ".join(f"{count:,}" for count in counts) for counts in
                          (examples[:1] if examples[0] == examples[1] else examples))
        print(f"| {method} | {mean_a:.2f} ± {error_a:.2f} | {len(a)} | {mean_b:.2f} ± {error_b:.2f} | {len(b)} "
              f"| {mean_a - mean_b:+.2f} ± {math.hypot(error_a, error_b):.2f} | {both} "
              f"| {', '.join(map(str, sorted(work)))} |")
    print("\nTop-1 by seed, in percent:\n")
    print("| method | program | " + " | ".join(f"seed {s}" for s in sorted(next(iter(ours.values())))) + " |")
    print("|---|---|" + "---|" * len(next(iter(ours.values()))))
    for method in ("naive", "replay", "multi-epoch"):
        for program, runs in (("OnePass", ours), ("PyTorch", peers)):
            cells = [f"{run['top1']:.2f}" for _, run in sorted(runs.get(method, {}).items())]
            print(f"| {method} | {program} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
