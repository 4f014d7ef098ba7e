#!/usr/bin/env python3
"""Measures the all-reduce alone, with the same library (Gloo) as in training and without overlapping computation.

    python allreduce.py --processes 2 --parameters 11689512

Prints one JSON record: seconds for the gradients of a model, in buckets of 25 MB as in training (median of the repeats).
"""

import argparse
import json
import statistics
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def work(rank, arguments, results):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{arguments.port}", rank=rank,
                            world_size=arguments.processes)
    bucket = (25 << 20) // 4
    buckets = [torch.ones(min(bucket, arguments.parameters - start)) for start in range(0, arguments.parameters, bucket)]
    seconds = []
    for _ in range(arguments.repeats):
        dist.barrier()
        start = time.perf_counter()
        for pending in [dist.all_reduce(tensor, async_op=True) for tensor in buckets]:
            pending.wait()
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        results.put(statistics.median(seconds))
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--parameters", type=int, default=11_689_512)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--port", type=int, default=29877)
    arguments = parser.parse_args()
    context = mp.get_context("spawn")
    results = context.SimpleQueue()
    processes = [context.Process(target=work, args=(rank, arguments, results)) for rank in range(arguments.processes)]
    for process in processes:
        process.start()
    seconds = results.get()
    for process in processes:
        process.join()
    print(json.dumps({"processes": arguments.processes, "parameters": arguments.parameters, "seconds": seconds}))


if __name__ == "__main__":
    main()
