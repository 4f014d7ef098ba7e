#!/usr/bin/env python3
"""Measures several processes on this machine: images per second, bytes per step, and the share of the all-reduce time that
overlaps with the backward pass.

    Benchmarks/ranks.py --python /path/to/python-with-torch     prints the table, writes a CSV to Benchmarks/results

For each model and number of processes, in alternation, round by round:
  together   `onepass train` with that number of ranks, one thread each
  apart      the same number of independent runs at the same time, each on its part of the mini-batch: the same work without
             communication
The difference is the exposed communication time. `peers/allreduce.py` measures the all-reduce alone; the share of it that is not
exposed is overlapped.
"""

import argparse
import csv
import datetime
import json
import os
import platform
import socket
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Model, pixels per side, examples, mini-batch size, k.
CASES = {"ResNet-20 at 32": ("resnet20", 32, 2048, 128, 3), "ResNet-18 at 32": ("resnet18", 32, 512, 128, 1)}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def command(arguments, case, examples, batch):
    model, size, _, _, replays = CASES[case]
    return [str(part) for part in [
        arguments.onepass, "train", "--data", f"synthetic:{examples}:{size}:10", "--model", model, "--stem", "small",
        "--image-size", size, "--batch-size", batch, "--replay-steps", replays, "--storage", "10%", "--threads", 1,
        "--decode-threads", 1, "--json", "--quiet", "--output", "none"]]


def start(command, environment=None):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={
        **os.environ, "OMP_WAIT_POLICY": "passive", **(environment or {})})


def results(processes):
    records = []
    for process in processes:
        output, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"ranks: {errors.decode()}")
        records.append(json.loads(output) if output else None)
    return records


def together(arguments, case, count):
    _, _, examples, batch, _ = CASES[case]
    port = free_port()
    environments = [{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1",
                     "MASTER_PORT": str(port)} if count > 1 else {} for rank in range(count)]
    return results([start(command(arguments, case, examples, batch), each) for each in environments])[0]


def apart(arguments, case, count):
    """The time of the slowest of `count` independent runs, each on an equal part."""
    _, _, examples, batch, _ = CASES[case]
    records = results([start(command(arguments, case, examples // count, batch // count)) for _ in range(count)])
    return max(record["trainingSeconds"] for record in records)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--onepass", type=Path, default=ROOT / ".build" / "release" / "onepass")
    parser.add_argument("--python", default="python3", help="an interpreter with torch, for the all-reduce alone")
    arguments = parser.parse_args()
    rows = []
    for round in range(arguments.rounds):
        for case in CASES:
            for count in arguments.processes:
                record = together(arguments, case, count)
                updates, steps = record["compute"]["updates"], record["plan"]["steps"]
                processes = record.get("processes") or {"gradientBytes": 0, "otherBytes": 0}
                row = {
                    "case": case, "processes": count, "round": round,
                    "images_per_second": record["throughput"]["imagesPerSecond"],
                    "seconds_per_update": record["trainingSeconds"] / updates,
                    "apart_seconds_per_update": apart(arguments, case, count) / updates,
                    "gradient_bytes_per_update": processes["gradientBytes"] / updates,
                    "other_bytes_per_step": processes["otherBytes"] / steps}
                if count > 1:
                    sums = subprocess.run(
                        [arguments.python, ROOT / "Benchmarks" / "peers" / "allreduce.py", "--processes", str(count),
                         "--parameters", str(parameters_of(row))], stdout=subprocess.PIPE, check=True)
                    row["sums_alone_seconds"] = json.loads(sums.stdout)["seconds"]
                rows.append(row)
                print(f"  round {round + 1}: {case:16} {count} processes {row['images_per_second']:7.1f} images/s",
                      flush=True)
    report(rows)
    path = ROOT / "Benchmarks" / "results" / (
        f"ranks-{platform.machine()}-{os.cpu_count()}core-{datetime.date.today()}.csv")
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    print(f"\nranks: all values are in {path.relative_to(ROOT)}")


def parameters_of(row):
    return int(row["gradient_bytes_per_update"] / 4)


def report(rows):
    print("\n| case | processes | images/s (lowest to highest) | update | exposed communication | all-reduce alone | overlapped "
          "| gradient bytes per update | other bytes per step |\n|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        for count in dict.fromkeys(row["processes"] for row in rows):
            chosen = [row for row in rows if row["case"] == case and row["processes"] == count]

            def median(key):
                return statistics.median(row[key] for row in chosen)

            rates = [row["images_per_second"] for row in chosen]
            line = f"| {case} | {count} | {median('images_per_second'):.0f} ({min(rates):.0f} to {max(rates):.0f}) "
            line += f"| {1e3 * median('seconds_per_update'):.1f} ms "
            if count == 1:
                print(line + "| | | | | |")
                continue
            opened = statistics.median(row["seconds_per_update"] - row["apart_seconds_per_update"] for row in chosen)
            alone = median("sums_alone_seconds")
            print(line + f"| {1e3 * opened:.1f} ms | {1e3 * alone:.1f} ms | {100 * min(1, max(0, 1 - opened / alone)):.0f} % "
                  f"| {median('gradient_bytes_per_update') / 1e6:.2f} MB | {median('other_bytes_per_step') / 1e3:.1f} kB |")


if __name__ == "__main__":
    main()
