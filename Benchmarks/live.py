#!/usr/bin/env python3
"""Measures live streams: reading them without training, training from them, and memory over a million messages.

    make bench                                         includes these parts
    Benchmarks/live.py --python PYTHON --rounds 5      with an interpreter that has the clients of Tools/requirements.txt
    Benchmarks/live.py --brokers NATS --parts reading  one broker, one part

Brokers run on loopback ports, with their data in temporary folders. Reading compares OnePass with the C client of the broker alone
(`peers/streams.c`) and with the usual Python client (`peers/streams.py`), in alternation. Each program reads the body and the label of
each message in a process of its own; its start is not counted. A broker or client that is missing is left out with a notice.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import brokers
import busy

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "Benchmarks" / "peers"
SIZES = {"2 kB": 2_000, "100 kB": 100_000}
# Exit status for a missing client library.
NO_LIBRARY = 69
# The time in seconds after which a program has failed.
LONGEST = 300
# Model, mini-batch size, examples of a run.
MODEL = ("resnet8", 32, 4_096)


@dataclasses.dataclass
class Settings:
    """What is measured. Without `python`, OnePass is measured alone; without `data`, there is no training."""
    onepass: Path
    reader: Path
    data: Path | None
    python: str | None
    rounds: int
    megabytes: int = 200
    messages: int = 1_000_000
    examples: int = MODEL[2]
    brokers: tuple = brokers.ALL
    parts: tuple = ("reading", "training", "memory")


def output(command):
    """The standard output of a command. Raises `Missing` if a library is missing, or if a peer fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise brokers.Missing(f"{command[0]} did not end within {LONGEST} s") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        if Path(command[0]).name.startswith("onepass") and done.returncode != NO_LIBRARY:
            sys.exit(f"live: {' '.join(map(str, command))}: {reason}")
        raise brokers.Missing(reason)
    return done.stdout


@contextlib.contextmanager
def running(kind, settings):
    """A started broker, or `None` with a notice."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            server = kind(folder, settings.python or sys.executable).__enter__()
        except brokers.Missing as missing:
            print(f"live: {kind.kind} is left out: {missing}", flush=True)
            yield None
            return
        try:
            yield server
        finally:
            server.stop()


def pattern(folder, count, size):
    """Shards of `count` messages of `size` bytes: links to one shard of random bytes."""
    each = min(count, 1_000 if size < 10_000 else 100)
    random_bytes = random.Random(1)
    with tarfile.open(folder / f"{size}.tar", "w") as archive:
        for index in range(each):
            for suffix, content in (("jpg", random_bytes.randbytes(size)), ("cls", b"%d" % (index % 10))):
                entry = tarfile.TarInfo(f"{index:05}.{suffix}")
                entry.size = len(content)
                archive.addfile(entry, BytesIO(content))
    links = -(-count // each)
    for index in range(links):
        (folder / f"{size}-{index:05}.tar").symlink_to(folder / f"{size}.tar")
    return f"{folder}/{size}-{{00000..{links - 1:05}}}.tar"


def fill(settings, broker, stream, count, size):
    with tempfile.TemporaryDirectory() as folder:
        output([settings.onepass, "send", f"wds:{pattern(Path(folder), count, size)}", "--limit", count, "--to", broker.url(stream)])


def c_clients(folder):
    """Compiles the C clients. Returns their program, or `None` with a notice."""
    sources = ROOT / "Sources" / "CBrokers"
    units = [PEERS / "streams.c", *(sources / f"{name}.c" for name in ("Loading", "NATS", "RabbitMQ", "RdKafka"))]
    command = ["cc", "-O2", "-I", sources / "include", "-I", sources, *units, "-ldl", "-lpthread", "-o", folder / "streams"]
    try:
        output(command)
        return folder / "streams"
    except (OSError, brokers.Missing) as problem:
        print(f"live: the C clients are left out: {problem}", flush=True)
        return None


def programs(settings, broker, compiled, stream, count, size):
    """The commands that read a stream, by program. Each prints a rate first in its last line."""
    batch = max(1, min(1_000, 8_000_000 // size))
    words = [broker.port, stream, count, batch]
    found = {"onepass": [settings.reader, broker.url(stream), count]}
    if settings.python:
        if compiled:
            found["C client"] = [compiled, broker.kind, *words]
        found |= {name: [settings.python, PEERS / "streams.py", name, *words] for name in broker.clients}
    return found


def reading(settings, broker):
    """Messages per second without training."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = c_clients(Path(folder)) if settings.python else None
        for name, size in SIZES.items():
            count = max(20, min(settings.megabytes, broker.megabytes) * 1_000_000 // size)
            stream = f"size{size}"
            fill(settings, broker, stream, count, size)
            commands = programs(settings, broker, compiled, stream, count, size)
            for round in range(settings.rounds):
                for program, command in list(commands.items()):
                    try:
                        rate = float(output(command).splitlines()[-1].split()[0])
                    except brokers.Missing as missing:
                        print(f"live: {program} is left out: {missing}", flush=True)
                        del commands[program]
                        continue
                    yield {"case": f"{broker.kind}, {name}", "program": program, "round": round, "messages_per_second": rate}


def training(settings, broker):
    """Trained images per second from the broker and from a tar on disk with the same examples."""
    if settings.data is None:
        return
    name, batch, _ = MODEL
    with tempfile.TemporaryDirectory() as folder:
        shard = Path(folder) / "examples.tar"
        output([settings.onepass, "pack", f"wds:{settings.data}", "--output", shard])
        # More than is trained: at the end of a stream, noida-db answers requests for more at once, without the wait that was requested.
        output([settings.onepass, "send", f"wds:{shard}", "--limit", 4 * settings.examples, "--to", broker.url("examples")])
        common = ["--limit", settings.examples, "--classes", 10, "--model", name, "--batch-size", batch, "--replay-steps", 1,
                  "--storage", settings.examples // 10, "--seed", 1, "--json", "--quiet", "--output", "none"]
        sources = {"onepass": broker.url("examples"), "tar on disk": f"wds:{shard}"}
        for round in range(settings.rounds):
            # Each is first in turn.
            for program in sorted(sources, reverse=round % 2 == 1):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                record = json.loads(output([settings.onepass, "train", "--data", sources[program], *common]))
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                yield {"case": f"{broker.kind}, training", "program": program, "round": round,
                       "images_per_second": record["throughput"]["imagesPerSecond"],
                       "images_per_cpu_second": settings.examples / seconds}


def memory(settings, broker):
    """Resident memory of the reading process after each tenth of a long stream of messages of 2 kB."""
    if broker.kind != "Redis":
        return
    fill(settings, broker, "long", settings.messages, 2_000)
    for line in output([settings.reader, broker.url("long"), settings.messages]).splitlines()[:-1]:
        messages, resident = map(int, line.split())
        yield {"case": f"{broker.kind}, {settings.messages:,} messages of 2 kB", "program": "onepass", "round": 0,
               "messages": messages, "resident_bytes": resident}


PARTS = {"reading": reading, "training": training, "memory": memory}


def measured(settings):
    """The rows of all parts, broker by broker."""
    for kind in settings.brokers:
        with running(kind, settings) as broker:
            for part in settings.parts if broker else ():
                try:
                    for row in PARTS[part](settings, broker):
                        value = " ".join(f"{value:12,.0f} {key.replace('_', ' ')}" for key, value in row.items()
                                         if isinstance(value, (int, float)) and key != "round")
                        print(f"  round {row['round'] + 1}: {row['case']:36} {row['program']:22} {value}", flush=True)
                        yield {"part": "live", **row, "machine": machine()}
                except brokers.Missing as missing:
                    print(f"live: {part} from {broker.kind} is left out: {missing}", flush=True)


def machine():
    """The processor and the number of its cores."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return f"{platform.machine()}, {os.cpu_count()} cores"


def figures(rows):
    """As `busy.figures`."""
    values = {}
    for row in rows:
        for key in ("messages_per_second", "images_per_second"):
            if key in row:
                values.setdefault(row["case"], {}).setdefault(row["program"], {})[row["round"]] = row[key]
    for case, programs in values.items():
        for program, theirs in programs.items():
            if program == "onepass":
                continue
            target = {"C client": 0.8, "tar on disk": 0.97}.get(program, 5)
            yield case, f"rate / {program}", target, True, [programs["onepass"][round] / theirs[round] for round in theirs]
    resident = [row["resident_bytes"] for row in rows if "resident_bytes" in row]
    if resident:
        yield "memory", "resident after the last message / after a tenth", 1.05, False, [resident[-1] / resident[0]]


def report(rows):
    """Prints the medians and each figure with its target."""
    print(f"\n{machine()}\n\n| case | program | median (lowest to highest) per second | n |\n|---|---|---|---|")
    groups = {}
    for row in rows:
        if rate := row.get("messages_per_second", row.get("images_per_second")):
            groups.setdefault((row["case"], row["program"]), []).append(rate)
    for (case, program), rates in groups.items():
        print(f"| {case} | {program} | {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {len(rates)} |")
    busy.table(figures(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200, help="size of a stream that is read")
    parser.add_argument("--brokers", nargs="+", default=[kind.kind for kind in brokers.ALL])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--onepass", type=Path, default=ROOT / ".build" / "release" / "onepass")
    parser.add_argument("--reader", type=Path, default=ROOT / ".build" / "release" / "StreamBenchmark")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "cifar10-train.tar.zst")
    arguments = parser.parse_args()
    if not arguments.data.exists():
        print(f"live: {arguments.data} not found: training is left out")
        arguments.data = None
    settings = Settings(arguments.onepass, arguments.reader, arguments.data, arguments.python, arguments.rounds,
                        arguments.megabytes, parts=tuple(arguments.parts),
                        brokers=tuple(kind for kind in brokers.ALL if kind.kind in arguments.brokers))
    rows = []
    try:
        rows.extend(measured(settings))
    finally:
        if rows:
            report(rows)
            busy.write("live", rows)


if __name__ == "__main__":
    main()
