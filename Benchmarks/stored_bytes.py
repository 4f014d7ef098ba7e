#!/usr/bin/env python3
"""Measures the bytes of replay memories, index included: the figures of results/smaller-images.md and of the column "bytes kept" in
results/beyond-the-paper/README.md. Accuracy plays no part, so the runs replay nothing.

    Benchmarks/stored_bytes.py ONEPASS CIFAR10-TRAIN >results/records/stored-bytes.csv

CIFAR10-TRAIN is the WebDataset archive of CIFAR-10. Each row is one run of ONEPASS with the options of the row.
"""

import json
import subprocess
import sys
import tempfile


def run(program, options):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "train", *options, "--model", "resnet8", "--replay-steps", "0", "--seed", "1", "--threads", "1",
                        "--output", f"{folder}/run"], check=True, capture_output=True)
        with open(f"{folder}/run/result.json") as file:
            return json.load(file)


def main():
    program, cifar = sys.argv[1:]
    streams = {"cifar10": ["--data", f"wds:{cifar}", "--classes", "10"], "fashion-mnist": ["--data", "fashion-mnist"]}
    cases = []
    # The column "bytes kept": the paper's reservoir and a window.
    for stream, limit, shares in (("cifar10", 10_000, (1, 5, 10)), ("fashion-mnist", 5_000, (1, 10))):
        for policy in ([], ["--evicting", "oldest", "--recency-bias", "1e6"]):
            cases += [(stream, ["--limit", str(limit), "--storage", f"{share}%", *policy]) for share in shares]
    # Smaller images: each of 1,000 images is kept.
    whole = ["--limit", "1000", "--storage", "100%"]
    cases += [("cifar10", whole), ("cifar10", whole + ["--memory-encoding", "resized"])]
    for size in (32, 24, 20, 16):
        cases += [("cifar10", whole + ["--memory-encoding", "resized", "--memory-size", str(size), "--memory-quality", str(quality)])
                  for quality in (90, 75, 50, 30)]
    # A budget in bytes.
    budget = ["--limit", "3000", "--storage", "285kB"]
    cases += [("cifar10", budget)]
    cases += [("cifar10", budget + ["--memory-encoding", "resized", "--memory-size", str(size), "--memory-quality", "50"])
              for size in (32, 24)]
    print("stream,options,items,bytes,bytes_per_item,stored_percent,stored_bytes_percent,version,commit")
    for stream, options in cases:
        result = run(program, streams[stream] + options)
        storage = result["storage"]
        print(",".join([
            stream, " ".join(options), str(storage["examples"]), str(storage["bytes"]),
            f"{storage['bytes'] / storage['examples']:.1f}", f"{100 * storage['exampleFraction']:.3f}",
            f"{100 * storage['byteFraction']:.3f}", result["version"], result.get("commit", "")[:12]]), flush=True)


if __name__ == "__main__":
    main()
