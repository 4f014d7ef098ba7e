#!/usr/bin/env python3
"""Measures how fast messages of a broker are read without training, by OnePass and by the usual Python client, in alternation.

    Benchmarks/live.py                      2 kB and 100 kB messages, from brokers that are installed
    Benchmarks/live.py --rounds 5 --megabytes 400

Starts brokers of its own on loopback, with data in memory. The Python clients come from Tools/requirements.txt. Each program reads the
whole stream in a process of its own and prints examples per second, without its start.
"""

import argparse
import csv
import datetime
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


class Redis:
    name, program, module = "Redis", "redis-server", "redis"
    client = """
import redis, sys, time
server = redis.Redis(port={port})
start, last, count, size = time.perf_counter(), "0-0", 0, 0
while count < {count}:
    for _, entries in server.xread({{"s": last}}, count={batch}, block=1000):
        for last, fields in entries:
            count, size = count + 1, size + len(fields[b"body"]) + 0 * int(fields[b"label"])
print(count / (time.perf_counter() - start))
"""

    def __init__(self, folder):
        self.port = free_port()
        self.server = subprocess.Popen(
            [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if subprocess.run(["redis-cli", "-p", str(self.port), "PING"], capture_output=True).stdout == b"PONG\n":
                return
            time.sleep(0.05)
        sys.exit("live: redis-server does not start")

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/s"

    def fill(self, count, size):
        subprocess.run(["redis-cli", "-p", str(self.port), "DEL", "s"], capture_output=True, check=True)
        body = os.urandom(size)
        commands = bytearray()
        process = subprocess.Popen(["redis-cli", "-p", str(self.port), "--pipe"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL)
        for index in range(count):
            words = [b"XADD", b"s", b"*", b"body", body, b"label", b"%d" % (index % 10)]
            commands += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
            if len(commands) > 1 << 20:
                process.stdin.write(commands)
                commands.clear()
        process.stdin.write(commands)
        process.stdin.close()
        process.wait()

    def close(self):
        self.server.kill()
        self.server.wait()


def rate(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200, help="the size of a stream")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--output", default="")
    options = parser.parse_args()
    subprocess.run([ROOT / "scripts" / "release", "--product", "StreamBenchmark"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    program = ROOT / ".build" / "release" / "StreamBenchmark"
    rows = []
    for kind in [Redis]:
        if not shutil.which(kind.program):
            print(f"{kind.name}: {kind.program} is not installed; left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            broker = kind(folder)
            try:
                for size in [2_000, 100_000]:
                    count = options.megabytes * 1_000_000 // size
                    broker.fill(count, size)
                    batch = max(1, min(1_000, 8_000_000 // size))
                    client = kind.client.format(port=broker.port, count=count, batch=batch)
                    for number in range(options.rounds):
                        ours = rate([program, broker.url, count])
                        theirs = rate([options.python, "-c", client])
                        rows.append((kind.name, size, number, ours, theirs))
                    pairs = [row for row in rows if row[:2] == (kind.name, size)]
                    ratios = [row[3] / row[4] for row in pairs]
                    print(f"{kind.name}, {size} bytes: OnePass {statistics.median(row[3] for row in pairs):,.0f}, "
                          f"{kind.module} {statistics.median(row[4] for row in pairs):,.0f} messages / s; ratio "
                          f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), n = {len(pairs)}")
            finally:
                broker.close()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    path = options.output or (ROOT / "Benchmarks" / "results" /
                              f"live-{platform.machine()}-{cores}core-{datetime.date.today()}.csv")
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["broker", "message_bytes", "round", "onepass_messages_per_s", "python_messages_per_s"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
