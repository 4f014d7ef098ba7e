#!/usr/bin/env python3
"""Measures OnePass and its peers on a machine that other processes use too, under a CPU quota, and at the start.

    make bench                                        includes these parts
    Benchmarks/busy.py --base OLD --peer 2.11=PYTHON  compares with an older program, and with PyTorch in an environment

Neighbours are processes that compute without a pause; they end by themselves. All programs of a part run in alternation, round
by round. Quotas need the right to create control groups; without it their rows are left out, with a notice.
"""

import argparse
import contextlib
import csv
import dataclasses
import datetime
import itertools
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from ranks import free_port

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "Benchmarks" / "peers" / "onepass_pytorch.py"
# Model, mini-batch size, k, examples of a run.
MODELS = {"ResNet-8": ("resnet8", 32, 1, 2048), "ResNet-20": ("resnet20", 128, 1, 1536)}
# What several processes are compared on: communication takes a larger part of the smaller models.
SIDE_BY_SIDE = {**MODELS, "ResNet-18": ("resnet18", 128, 1, 512)}
NEIGHBOURS = (0, 1, 2, 4)
QUOTA = 1.5
# A neighbour ends after this time in seconds, whatever happens to the harness.
LONGEST = 600
SPINNER = f"import time\nend = time.monotonic() + {LONGEST}\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def neighbours(count):
    """Keeps `count` processes busy."""
    running = [subprocess.Popen([sys.executable, "-c", SPINNER]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextlib.contextmanager
def quota(processors):
    """Yields the file that admits processes to a control group with a quota, or `None` where none can be created."""
    made = None
    for root, values in (("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": f"{processors * 1e5:.0f}"}),
                         ("/sys/fs/cgroup", {"cpu.max": f"{processors * 1e5:.0f} 100000"})):
        group = Path(root) / f"onepass-bench-{os.getpid()}"
        try:
            group.mkdir()
            made = group
            for name, value in values.items():
                (group / name).write_text(value)
            break
        except OSError:
            if made:
                made.rmdir()
            made = None
    try:
        yield made and made / "cgroup.procs"
    finally:
        if made:
            made.rmdir()


def start(command, environment=None, group=None):
    """Starts a program, in a control group if one is given."""
    def enter():
        if group:
            Path(group).write_text(str(os.getpid()))
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **(environment or {})}, preexec_fn=enter)


def records(processes):
    """What finished programs print, as JSON; `None` for a rank that prints nothing."""
    found = []
    for process in processes:
        output, errors = process.communicate()
        if process.returncode:
            sys.exit(f"busy: {' '.join(process.args)} ended with {process.returncode}: {errors.strip()[-300:]}")
        found.append(json.loads(output) if output.strip() else None)
    return found


def rate(record):
    return record["images_per_second"] if "images_per_second" in record else record["throughput"]["imagesPerSecond"]


@dataclasses.dataclass
class Settings:
    """What is measured. `base` is an older program; `peers` has an interpreter with PyTorch for each version."""
    onepass: Path
    data: Path | None
    rounds: int
    scale: float = 1
    base: Path | None = None
    peers: dict = dataclasses.field(default_factory=dict)


class Programs:
    """The commands of a training run with OnePass, with an older program, and with PyTorch."""

    def __init__(self, settings):
        self.data, self.scale = settings.data, settings.scale
        self.ours = {"onepass": settings.onepass}
        if settings.base:
            self.ours["onepass before"] = settings.base
        self.peers = settings.peers if settings.data else {}

    def onepass(self, program, model, share=1.0, threads=None):
        name, batch, replays, examples = SIDE_BY_SIDE[model]
        limit = max(2 * batch, round(examples * share * self.scale))
        data = f"wds:{self.data}" if self.data else f"synthetic:{limit}:32:10"
        return [program, "train", "--data", data, "--limit", limit, "--classes", 10, "--model", name, "--batch-size", batch,
                "--replay-steps", replays, "--storage", "10%", "--seed", 1, "--json", "--quiet",
                *(["--threads", threads, "--decode-threads", threads] if threads else []),
                *(["--output", "none"] if program != self.ours.get("onepass before") else [])]

    def pytorch(self, python, model, loader, share):
        name, batch, replays, examples = SIDE_BY_SIDE[model]
        limit = max(2 * batch, round(examples * share * self.scale))
        return [python, PEER, "--data", self.data, "--eval-data", self.data, "--eval-limit", batch, "--limit", limit, "--model",
                name, "--batch-size", batch, "--replay-steps", replays, "--method", "replay", "--loader", loader,
                "--threads", os.cpu_count()]

    def all(self, model, isBusy):
        """Each program with its command. Programs that a busy machine slows down by a factor of ten get a shorter stream there."""
        share = 1 / 16 if isBusy else 1
        for name, program in self.ours.items():
            yield name, self.onepass(program, model, 1 if name == "onepass" else share)
        for version, python in self.peers.items():
            for loader in ("plain",) if isBusy else ("plain", "tuned"):
                yield f"PyTorch {version}".strip() + f", {loader}", self.pytorch(python, model, loader, share)


def case_of(model, count):
    return f"{model}, {count} neighbour" + ("" if count == 1 else "s")


def threads_case(model, threads):
    return f"{model}, {threads} thread{'' if threads == 1 else 's'} on {os.cpu_count()} cores"


def shared_cores(programs, round):
    """Trained images per second with busy neighbours."""
    for model in MODELS:
        for count in NEIGHBOURS:
            for name, command in programs.all(model, count > 0):
                with neighbours(count):
                    [record] = records([start(command)])
                yield {"case": case_of(model, count), "program": name, "round": round, "images_per_second": rate(record)}


def quotas(programs, round):
    """Trained images per second under a CPU quota with the default number of threads, and with more threads than cores."""
    cores = os.cpu_count()
    with quota(QUOTA) as group:
        if group is None:
            print("busy: the quota is left out: no control group can be created")
        for model in MODELS:
            for name, program in programs.ours.items():
                if group:
                    [record] = records([start(programs.onepass(program, model, 0.5), group=group)])
                    yield {"case": f"{model}, quota of {QUOTA} cores", "program": name, "round": round,
                           "images_per_second": rate(record)}
                for threads in (1, 2 * cores):
                    [record] = records([start(programs.onepass(program, model, 0.5, threads=threads))])
                    yield {"case": threads_case(model, threads), "program": name, "round": round,
                           "images_per_second": rate(record)}


def side_by_side(programs, round):
    """Images per second in all: two runs at a time with a thread each, two ranks with a thread each, one run with two threads."""
    program = programs.ours["onepass"]
    for model in SIDE_BY_SIDE:
        [one] = records([start(programs.onepass(program, model, threads=2))])
        yield {"case": f"{model}, two threads", "program": "one run", "round": round, "images_per_second": rate(one)}
        passive = {"OMP_WAIT_POLICY": "passive"}
        both = records([start(programs.onepass(program, model, threads=1), passive) for _ in range(2)])
        yield {"case": f"{model}, two threads", "program": "two runs at a time", "round": round,
               "images_per_second": sum(map(rate, both))}
        port = free_port()
        ranks = records([start(programs.onepass(program, model, threads=1), {
            **passive, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port)}) for rank in range(2)])
        yield {"case": f"{model}, two threads", "program": "two ranks", "round": round, "images_per_second": rate(ranks[0])}


STARTS = {"--version": (0, ["--version"]), "train --help": (0, ["train", "--help"]),
          "completions": (0, ["--generate-completion-script", "bash"]),
          "a refusal": (64, ["train", "--data", "synthetic:8:8:2", "--batch-size", "0"])}


def starts(programs, round):
    """Milliseconds until the program has printed a text, and until it has made the first update on a folder of 10,000 images."""
    for case, (status, options) in STARTS.items():
        for name, program in programs.ours.items():
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            process = subprocess.run([program, *options], capture_output=True)
            seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
            if process.returncode != status:
                sys.exit(f"busy: {program} {case} ended with {process.returncode}")
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            yield {"case": case, "program": name, "round": round, "milliseconds": 1e3 * seconds, "cpu_milliseconds": 1e3 * spent}
    if programs.data is None:
        return
    with tempfile.TemporaryDirectory() as scratch:
        images = folder(programs.ours["onepass"], programs.data, Path(scratch))
        for name, program in programs.ours.items():
            yield {"case": "first update, folder of 10,000 images", "program": name, "round": round,
                   "milliseconds": 1e3 * first_update(program, images, Path(scratch) / name.replace(" ", "-"))}


def folder(program, data, scratch, count=10_000):
    """Writes the images of a shard into a folder for each class."""
    packed = scratch / "images.tar"
    subprocess.run([program, "pack", f"wds:{data}", "--output", packed], check=True, capture_output=True)
    parts = {}
    with tarfile.open(packed) as archive:
        # Each example has two entries.
        for member in itertools.islice(archive, 2 * count):
            key, suffix = member.name.rsplit(".", 1)
            parts.setdefault(key, {})[suffix] = archive.extractfile(member).read()
    for key, part in parts.items():
        place = scratch / "images" / f"class-{int(part['cls'])}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{Path(key).name}.jpg").write_bytes(part["jpg"])
    return scratch / "images"


def first_update(program, images, output):
    """Seconds from the start of a run to the report of its first step."""
    begin = time.monotonic()
    process = subprocess.Popen([program, "train", "--data", f"folder:{images}", "--model", "resnet8", "--batch-size", "32",
                                "--image-size", "32", "--progress", "json", "--output", output],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = None
    for line in process.stderr:
        if '"event":"step"' in line:
            seconds = time.monotonic() - begin
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    subprocess.run(["rm", "-rf", output], check=True)
    if seconds is None:
        sys.exit(f"busy: {program} made no step on a folder")
    return seconds


PARTS = (shared_cores, quotas, side_by_side, starts)


def measured(settings):
    """The rows of all parts, round by round."""
    programs = Programs(settings)
    for round in range(settings.rounds):
        for part in PARTS:
            for row in part(programs, round):
                value = " ".join(f"{value:8.1f} {key.replace('_', ' ')}" for key, value in row.items() if isinstance(value, float))
                print(f"  round {round + 1}: {row['case']:40} {row['program']:22} {value}", flush=True)
                yield {"part": "busy", **row}


def report(rows):
    table(figures(Rounds(rows)))


def table(figures):
    """Prints each figure with its target, the median of the rounds, and the spread."""
    print("\n| what | figure | target | median (lowest to highest) | rounds | reached |\n|---|---|---|---|---|---|")
    for what, figure, target, isAtLeast, values in figures:
        if values:
            middle = statistics.median(values)
            reached = middle >= target if isAtLeast else middle <= target
            print(f"| {what} | {figure} | {'≥' if isAtLeast else '≤'} {target:g} | {middle:.2f} ({min(values):.2f} to "
                  f"{max(values):.2f}) | {len(values)} | {'yes' if reached else '**no**'} |")


class Rounds:
    """The values of the rows by case, program and round."""

    def __init__(self, rows):
        self.values = {}
        for row in rows:
            value = row.get("images_per_second", row.get("milliseconds"))
            self.values.setdefault((row["case"], row["program"]), {})[row["round"]] = value
        self.programs = list(dict.fromkeys(row["program"] for row in rows))

    def ratios(self, case, program, other, otherProgram, factor=1.0):
        """Quotients within each round."""
        first, second = self.values.get((case, program), {}), self.values.get((other, otherProgram), {})
        return [first[round] / (second[round] * factor) for round in first if round in second]


def figures(rounds):
    """Yields what is measured, the figure, its target, whether more is better, and the value of each round."""
    cores = os.cpu_count()
    for model in MODELS:
        for count in NEIGHBOURS:
            case, quiet = case_of(model, count), case_of(model, 0)
            if count:
                # The kernel divides the cores equally among the threads that are ready; a thread has at most one core.
                share = min(1, cores / (cores + count))
                yield case, f"rate / ({share:.2f} × quiet rate)", 0.85, True, rounds.ratios(case, "onepass", quiet, "onepass", share)
            for program in rounds.programs:
                if program == "onepass before" and not count:
                    yield case, "rate / that before", 0.98, True, rounds.ratios(case, "onepass", case, program)
                elif count and (program == "onepass before" or program.endswith("plain")):
                    name = "that before" if program == "onepass before" else program
                    yield case, f"rate / {name}", 4, True, rounds.ratios(case, "onepass", case, program)
                elif program.startswith("PyTorch"):
                    yield case, f"rate / {program}", 1, True, rounds.ratios(case, "onepass", case, program)
        case, quiet = f"{model}, quota of {QUOTA} cores", case_of(model, 0)
        share = QUOTA / cores
        yield case, f"rate / ({share:.2f} × rate without)", 0.85, True, rounds.ratios(case, "onepass", quiet, "onepass", share)
        yield case, "rate / that before", 1, True, rounds.ratios(case, "onepass", case, "onepass before")
        case = threads_case(model, 1)
        yield case, "rate / that before", 0.98, True, rounds.ratios(case, "onepass", case, "onepass before")
        case = threads_case(model, 2 * cores)
        yield case, "rate / rate of the default", 0.85, True, rounds.ratios(case, "onepass", quiet, "onepass")
    for model in SIDE_BY_SIDE:
        case = f"{model}, two threads"
        yield f"{model}, two runs at a time", "rate of both / one run with two threads", 1.2, True, rounds.ratios(
            case, "two runs at a time", case, "one run")
        yield f"{model}, two ranks", "rate / one process with two threads", 1, True, rounds.ratios(case, "two ranks", case, "one run")
    for case in STARTS:
        yield case, "milliseconds", 50, False, list(rounds.values.get((case, "onepass"), {}).values())
    case = "first update, folder of 10,000 images"
    yield case, "time / that before", 0.5, False, rounds.ratios(case, "onepass", case, "onepass before")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="fraction of each stream to train on")
    parser.add_argument("--onepass", type=Path, default=ROOT / ".build" / "release" / "onepass")
    parser.add_argument("--base", type=Path, help="an older program to compare with")
    parser.add_argument("--peer", action="append", default=[], metavar="VERSION=PYTHON", help="an interpreter with PyTorch")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "cifar10-train.tar.zst")
    arguments = parser.parse_args()
    if not arguments.data.exists():
        print(f"busy: {arguments.data} not found: synthetic images are used, without PyTorch")
        arguments.data = None
    rows = []
    try:
        for row in measured(Settings(arguments.onepass, arguments.data, arguments.rounds, arguments.scale, arguments.base,
                                     dict(peer.split("=", 1) for peer in arguments.peer))):
            rows.append(row)
    finally:
        if rows:
            report(rows)
            write("busy", rows)


def write(part, rows):
    """Writes all values to a file named after the part, the machine and the date."""
    name = f"{part}-{platform.machine()}-{os.cpu_count()}core-{datetime.date.today()}.csv"
    with open(ROOT / "Benchmarks" / "results" / name, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"\n{part}: all values are in Benchmarks/results/{name}")


if __name__ == "__main__":
    main()
