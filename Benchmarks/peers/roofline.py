#!/usr/bin/env python3
"""Measures the peak performance of the machine and computes the operations of each model, to bound training rates.

Prints a JSON record: the float32 peak of a large matrix product, the bandwidth of a copy larger than the caches, and the
operations per image of each model's convolutions and last layer, forward and backward, at each image size.

    python roofline.py --threads 2
"""

import argparse
import json
import time

import onepass_pytorch as peer
import torch
from torch import nn

CASES = [("resnet20", 32), ("resnet18", 32), ("resnet18", 64), ("resnet50", 224)]


def best_seconds(body, seconds=2):
    """The shortest of many runs: the time without interference."""
    body()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        body()
        best = min(best, time.perf_counter() - start)
    return best


def peak_flops():
    a, b, c = (torch.randn(2048, 2048) for _ in range(3))
    return 2 * 2048**3 / best_seconds(lambda: torch.mm(a, b, out=c))


def bandwidth():
    """Bytes per second of a copy of 512 MiB, read and written."""
    a, b = torch.ones(128 << 20), torch.zeros(128 << 20)
    return 2 * 4 * a.numel() / best_seconds(lambda: b.copy_(a))


def operations(name, size):
    """Multiplications and additions per image by definition: forward, gradient of inputs, gradient of weights.

    The first convolution needs no gradient of its inputs.
    """
    model, counted = peer.MODELS[name](size), []

    def count(module, inputs, output):
        weights = module.weight.numel() // (module.out_channels if isinstance(module, nn.Conv2d) else module.out_features)
        counted.append(2 * weights * output[0].numel())

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 3, size, size))
    return 3 * sum(counted) - counted[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(json.dumps({"threads": args.threads, "peak_flops": peak_flops(), "bytes_per_second": bandwidth(),
                      "operations_per_image": {f"{name} at {size}": operations(name, size) for name, size in CASES}}))


if __name__ == "__main__":
    main()
