#!/usr/bin/env python3
"""Measures other replay memories: offers and draws per second.

  python-list  a list of (bytes, label), numpy priorities, draws by rejection (the fastest variant tested)
  cpprb        cpprb's PrioritizedReplayBuffer (C++ segment tree, fixed-size rows, oldest evicted first)
  torchrl      torchrl's ReplayBuffer with a list storage and its prioritised sampler (C++ sum tree)
  reverb       DeepMind's Reverb in the same process, prioritised, oldest evicted first, drawn through its dataset

Prints one JSON record per library. Batches have 128 items; values are medians over interleaved repeats. Each memory is filled
with payloads without other references. Slow libraries receive an evenly spaced part of the same stream. A library that cannot
be imported is skipped with a message. Reverb requires TensorFlow and therefore a separate environment
(Tools/requirements-reverb.txt).

    python replay_memory.py --items 128000 --payload 2048
"""

import argparse
import ctypes
import gc
import importlib
import json
import os
import platform
import statistics
import sys
import time

import numpy as np

BATCH = 128


class PythonList:
    """Biased reservoir with uniform eviction; a draw is uniform, and accepted with probability P."""

    name, modules = "python-list", ["numpy"]
    # The fraction of the stream that is offered, and the fraction of the draws.
    offer_share = draw_share = 1.0

    def __init__(self, capacity, payload, rng):
        self.capacity, self.rng = capacity, rng
        self.items, self.priorities = [None] * capacity, np.zeros(capacity)
        self.size = self.seen = 0

    @staticmethod
    def batch(payloads, labels):
        return list(zip(payloads, labels))

    def offer(self, batch, priorities, beta):
        """Offers a batch; infinite `beta` admits all items."""
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
        # If two entries have the same slot, numpy keeps the last one, as the loop does.
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

    def close(self):
        pass


class Admitting:
    """A library that evicts the oldest item; admission is decided here, as above."""

    offer_share = draw_share = 1.0

    def __init__(self, capacity, rng):
        self.capacity, self.rng, self.seen = capacity, rng, 0

    def admitted(self, count, beta):
        arrivals = np.arange(self.seen + 1, self.seen + count + 1)
        self.seen += count
        return np.flatnonzero(self.rng.random(count) * arrivals < beta * self.capacity)

    def close(self):
        pass


class Cpprb(Admitting):
    """cpprb stores rows of a fixed size and copies them on insertion and on draws."""

    name, modules = "cpprb", ["cpprb"]

    def __init__(self, capacity, payload, rng):
        super().__init__(capacity, rng)
        import cpprb
        fields = {"payload": {"shape": payload, "dtype": np.uint8}, "label": {"dtype": np.int32}}
        self.buffer = cpprb.PrioritizedReplayBuffer(capacity, fields, alpha=1.0, eps=0.0)

    @staticmethod
    def batch(payloads, labels):
        return np.stack([np.frombuffer(p, np.uint8) for p in payloads]), np.array(labels, np.int32)

    def offer(self, batch, priorities, beta):
        rows = self.admitted(len(priorities), beta)
        payloads, labels = batch
        if len(rows) == len(priorities):
            self.buffer.add(payload=payloads, label=labels, priorities=priorities)
        elif len(rows):
            self.buffer.add(payload=payloads[rows], label=labels[rows], priorities=priorities[rows])

    def draw(self, count):
        return self.buffer.sample(count, beta=1.0)


class TorchRL(Admitting):
    """torchrl with a list of (bytes, label), stored and returned by reference."""

    name, modules = "torchrl", ["torch", "torchrl.data"]
    offer_share = 0.1

    def __init__(self, capacity, payload, rng):
        super().__init__(capacity, rng)
        from torchrl.data import ListStorage, ReplayBuffer
        from torchrl.data.replay_buffers.samplers import PrioritizedSampler
        self.buffer = ReplayBuffer(
            storage=ListStorage(capacity), sampler=PrioritizedSampler(capacity, alpha=1.0, beta=1.0, eps=0.0),
            batch_size=BATCH, collate_fn=lambda items: items)

    batch = PythonList.batch

    def offer(self, batch, priorities, beta):
        import torch
        rows = self.admitted(len(priorities), beta)
        if len(rows):
            places = self.buffer.extend([batch[i] for i in rows.tolist()])
            self.buffer.update_priority(places, torch.from_numpy(priorities[rows]).float())

    def draw(self, count):
        return self.buffer.sample(count)


class Reverb(Admitting):
    """A Reverb server in this process; items are written with its writer and drawn from its dataset."""

    name, modules = "reverb", ["tensorflow", "reverb"]
    offer_share, draw_share = 0.01, 0.2

    def __init__(self, capacity, payload, rng):
        super().__init__(capacity, rng)
        import reverb
        import tensorflow as tf
        table = reverb.Table(
            name="memory", sampler=reverb.selectors.Prioritized(1.0), remover=reverb.selectors.Fifo(),
            max_size=capacity, rate_limiter=reverb.rate_limiters.MinSize(1),
            signature={"payload": tf.TensorSpec([1, payload], tf.uint8), "label": tf.TensorSpec([1], tf.int32)})
        self.server = reverb.Server([table])
        self.writer = reverb.Client(f"localhost:{self.server.port}").trajectory_writer(num_keep_alive_refs=1)
        self.draws = None

    @staticmethod
    def batch(payloads, labels):
        return [(np.frombuffer(p, np.uint8), np.int32(label)) for p, label in zip(payloads, labels)]

    def offer(self, batch, priorities, beta):
        rows = self.admitted(len(priorities), beta)
        for i in rows.tolist():
            payload, label = batch[i]
            self.writer.append({"payload": payload, "label": label})
            self.writer.create_item(
                "memory", float(priorities[i]), {key: column[-1:] for key, column in self.writer.history.items()})
        if len(rows):
            self.writer.flush()

    def draw(self, count):
        if self.draws is None:
            import reverb
            dataset = reverb.TrajectoryDataset.from_table_signature(
                f"localhost:{self.server.port}", "memory", max_in_flight_samples_per_worker=2 * count)
            self.draws = dataset.batch(count).as_numpy_iterator()
        return next(self.draws)

    def close(self):
        self.draws = None
        self.writer.close()
        self.server.stop()


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def rates(name, operation, batches):
    """Items per second of wall time, and per second of processor time of all threads."""
    start, processor = time.perf_counter(), time.process_time()
    for i in range(batches):
        operation(i)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return {f"{name}_per_second": batches * BATCH / seconds, f"{name}_per_processor_second": batches * BATCH / processor}


def measure(library, args, priorities):
    """One repeat: fill, draw, offer a stream ten times the capacity, insert with eviction."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    rng = np.random.default_rng(args.seed)
    before = resident_bytes()
    memory = library(args.items, args.payload, rng)
    chosen = [priorities[i * BATCH: (i + 1) * BATCH] for i in range(256)]
    common = rng.bytes(args.payload - 8)
    for i in range(args.items // BATCH):
        payloads = [common + (i * BATCH + j).to_bytes(8, "little") for j in range(BATCH)]
        labels = rng.integers(10, size=BATCH).tolist()
        memory.offer(library.batch(payloads, labels), chosen[i % 256], float("inf"))
    held = args.items // BATCH * BATCH
    figures = {"resident_bytes_per_payload_byte": (resident_bytes() - before) / (held * args.payload)}
    memory.draw(BATCH)
    figures |= rates("draws", lambda i: memory.draw(BATCH), int(args.draws * library.draw_share) // BATCH)

    # Enough different payloads to exceed the caches.
    pool = [library.batch([rng.bytes(args.payload) for _ in range(BATCH)], rng.integers(10, size=BATCH).tolist())
            for _ in range(256)]
    stride = round(1 / library.offer_share)

    def offer(i):
        memory.seen = args.items + i * stride * BATCH
        memory.offer(pool[i % 256], chosen[i % 256], 1.5)

    figures |= rates("offers", offer, 10 * args.items // BATCH // stride)
    figures |= rates("inserts_with_eviction",
                     lambda i: memory.offer(pool[i % 256], chosen[i % 256], float("inf")),
                     max(1, args.items // BATCH // stride))
    memory.close()
    return figures


def importable(library):
    for module in library.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            print(f"replay_memory: {library.name} is skipped: {error}".split("\n")[0], file=sys.stderr)
            return False
    return True


def main():
    libraries = {library.name: library for library in (PythonList, Cpprb, TorchRL, Reverb)}
    rng = np.random.default_rng(1)
    regimes = {
        # The middle of a run: more than half of all proposals are accepted.
        "uniform(0.1, 1)": rng.uniform(0.1, 1, 256 * BATCH),
        # The end of a run that fits its data: alpha 0.98, losses exponential with mean 0.05. Most P are near 0.03.
        "late in training": 1 - 0.98 * np.exp(-rng.exponential(0.05, 256 * BATCH)),
    }
    parser = argparse.ArgumentParser(description="Offers and draws a second of others' replay memories.")
    parser.add_argument("--items", type=int, default=128_000)
    parser.add_argument("--payload", type=int, default=2048, help="bytes of one item")
    parser.add_argument("--draws", type=int, default=500_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--libraries", nargs="+", choices=libraries, default=list(libraries))
    parser.add_argument("--regimes", nargs="+", choices=regimes, default=list(regimes))
    args = parser.parse_args()
    if min(args.items, args.draws) < 100 * BATCH or args.payload < 8 or args.repeats < 1:
        parser.error(f"--items and --draws must be at least {100 * BATCH}, --payload 8, --repeats 1")

    chosen = [libraries[name] for name in args.libraries if importable(libraries[name])]
    results = {}
    for repeat in range(args.repeats):
        for regime in args.regimes:
            for library in chosen:
                print(f"repeat {repeat + 1}/{args.repeats}: {library.name}, P {regime}", file=sys.stderr)
                results.setdefault((library.name, regime), []).append(measure(library, args, regimes[regime]))
    for (name, regime), runs in results.items():
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(json.dumps({
            "library": name, "priorities": regime, "items": args.items, "payload_bytes": args.payload,
            "batch_size": BATCH, "repeats": args.repeats,
            **{key: round(value) if value > 1000 else value for key, value in medians.items()},
            "numpy": np.__version__, "python": platform.python_version()}))


if __name__ == "__main__":
    main()
