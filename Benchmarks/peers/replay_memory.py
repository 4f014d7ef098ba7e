#!/usr/bin/env python3
"""How many offers and draws a second the best Python replay memories make: the bar for OnePass's own.

  python-list  a list of (bytes, label), numpy priorities, draws by rejection: the fastest of those tried
  cpprb        cpprb's PrioritizedReplayBuffer (C++ segment tree, fixed-size rows, oldest evicted first)

Prints one JSON record for each library. All work in batches of 128, on one core; medians over interleaved repeats.

    python replay_memory.py --items 100000 --payload 2048
"""

import argparse
import json
import platform
import statistics
import sys
import time

import cpprb
import numpy as np

BATCH = 128


class PythonList:
    """Biased reservoir with uniform eviction; a draw is uniform, and accepted with probability P."""

    name = "python-list"

    def __init__(self, capacity, payload, rng):
        self.capacity, self.rng = capacity, rng
        self.items, self.priorities = [None] * capacity, np.zeros(capacity)
        self.size = self.seen = 0

    @staticmethod
    def batch(payloads, labels):
        return list(zip(payloads, labels))

    def offer(self, batch, priorities, beta):
        """Offers a batch; infinite `beta` admits all of it."""
        count = len(batch)
        free = min(count, self.capacity - self.size)
        slots = self.rng.integers(self.capacity, size=count)
        slots[:free] = np.arange(self.size, self.size + free)
        arrivals = np.arange(self.seen + 1, self.seen + count + 1)
        admitted = self.rng.random(count) * arrivals < beta * self.capacity
        admitted[:free] = True
        self.size += free
        self.seen += count
        items = self.items
        for i in np.flatnonzero(admitted).tolist():
            items[slots[i]] = batch[i]
        # Of two entries for one slot, numpy keeps the last, as the loop does.
        self.priorities[slots[admitted]] = priorities[admitted]

    def draw(self, count):
        found, rate = np.empty(0, dtype=np.int64), 0.6
        while len(found) < count:
            tries = int((count - len(found)) / rate) + 16
            candidates = self.rng.integers(self.size, size=tries)
            kept = candidates[self.rng.random(tries) < self.priorities[candidates]]
            rate = max(len(kept) / tries, 0.02)
            found = np.concatenate([found, kept])
        found = found[:count]
        items = self.items
        return [items[i] for i in found.tolist()], self.priorities[found]


class Cpprb:
    """cpprb keeps rows of one size and overwrites the oldest; admission is decided before it, as above."""

    name = "cpprb"

    def __init__(self, capacity, payload, rng):
        fields = {"payload": {"shape": payload, "dtype": np.uint8}, "label": {"dtype": np.int32}}
        self.buffer = cpprb.PrioritizedReplayBuffer(capacity, fields, alpha=1.0, eps=0.0)
        self.capacity, self.rng, self.seen = capacity, rng, 0

    @staticmethod
    def batch(payloads, labels):
        return np.stack([np.frombuffer(p, np.uint8) for p in payloads]), np.array(labels, np.int32)

    def offer(self, batch, priorities, beta):
        count = len(priorities)
        arrivals = np.arange(self.seen + 1, self.seen + count + 1)
        admitted = self.rng.random(count) * arrivals < beta * self.capacity
        self.seen += count
        payloads, labels = batch
        if admitted.all():
            self.buffer.add(payload=payloads, label=labels, priorities=priorities)
        elif admitted.any():
            self.buffer.add(payload=payloads[admitted], label=labels[admitted], priorities=priorities[admitted])

    def draw(self, count):
        return self.buffer.sample(count, beta=1.0)


def rate(operation, batches):
    start = time.perf_counter()
    for i in range(batches):
        operation(i)
    return batches * BATCH / (time.perf_counter() - start)


def measure(library, args, priorities):
    """One repeat: fill, offer a stream ten times the capacity, insert with eviction, draw. Items a second of each."""
    rng = np.random.default_rng(args.seed)
    memory = library(args.items, args.payload, rng)
    # Enough different payloads that they do not stay in a cache.
    pool = [library.batch([rng.bytes(args.payload) for _ in range(BATCH)], rng.integers(10, size=BATCH).tolist())
            for _ in range(256)]
    chosen = [priorities[i * BATCH: (i + 1) * BATCH] for i in range(256)]
    stream = 10 * args.items // BATCH
    return {
        "offers_per_second": rate(lambda i: memory.offer(pool[i % 256], chosen[i % 256], 1.5), stream),
        "inserts_with_eviction_per_second": rate(
            lambda i: memory.offer(pool[i % 256], chosen[i % 256], float("inf")), args.items // BATCH),
        "draws_per_second": rate(lambda i: memory.draw(BATCH), args.draws // BATCH),
    }


def main():
    parser = argparse.ArgumentParser(description="Offers and draws a second of Python replay memories.")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--payload", type=int, default=2048, help="bytes of one item")
    parser.add_argument("--draws", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.items < BATCH or args.draws < BATCH or min(args.payload, args.repeats) < 1:
        parser.error(f"--items and --draws must be at least {BATCH}, --payload and --repeats at least 1")

    rng = np.random.default_rng(args.seed)
    regimes = {
        # The middle of a run: more than half of all proposals are accepted.
        "uniform(0.1, 1)": rng.uniform(0.1, 1, 256 * BATCH),
        # The end of a run that fits its data: alpha 0.98, losses exponential with mean 0.05. Most P are near 0.03.
        "late in training": 1 - 0.98 * np.exp(-rng.exponential(0.05, 256 * BATCH)),
    }
    results = {}
    for repeat in range(args.repeats):
        for regime, priorities in regimes.items():
            for library in (PythonList, Cpprb):
                print(f"repeat {repeat + 1}/{args.repeats}: {library.name}, P {regime}", file=sys.stderr)
                results.setdefault((library.name, regime), []).append(measure(library, args, priorities))
    for (name, regime), runs in results.items():
        medians = {key: round(statistics.median(run[key] for run in runs)) for key in runs[0]}
        print(json.dumps({
            "library": name, "priorities": regime, "items": args.items, "payload_bytes": args.payload,
            "batch_size": BATCH, "repeats": args.repeats, **medians,
            "numpy": np.__version__, "python": platform.python_version()}))


if __name__ == "__main__":
    main()
