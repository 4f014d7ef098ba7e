"""Writes Tests/DistributedTests/Fixtures/normalisation.json: batch normalisation of a whole batch, by PyTorch in float64.

Several processes with synchronised statistics must compute the same result as one process with all images. This is the
definition of torch.nn.SyncBatchNorm, which requires GPUs and is therefore not used here.

    python Tools/reference_synchronised.py
"""

import json
import pathlib

import torch

from reference_models import TABLE

COUNT = 6


def numbers(index, count):
    return torch.tensor([float(TABLE[(7919 * index + j) % 65537]) for j in range(count)], dtype=torch.float64)


def case(index, channels, rectifies):
    shape = (COUNT, channels, 3, 3)
    elements = COUNT * channels * 9

    def batch(number, factor=1.0, shift=0.0):
        return (numbers(10 * index + number, elements) * factor + shift).float().double().reshape(shape)

    x, addend, slope = batch(0, 2.0, 5.0).requires_grad_(), batch(1).requires_grad_(), batch(2)
    norm = torch.nn.BatchNorm2d(channels, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(numbers(10 * index + 3, channels))
        norm.bias.copy_(numbers(10 * index + 4, channels))
    y = norm(x) + addend
    if rectifies:
        y = torch.relu(y)
    (y * slope).sum().backward()
    name = f"{channels}{' rectified' if rectifies else ''}"
    parts = {
        "y": y, "x": x.grad, "addend": addend.grad, "weight": norm.weight.grad, "bias": norm.bias.grad,
        "mean": norm.running_mean, "variance": norm.running_var,
    }
    return {f"{name} {part}": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()] for part, tensor in parts.items()}


def main():
    values = {}
    for index, channels in enumerate([16, 5]):
        for rectifies in [False, True]:
            values |= case(index, channels, rectifies)
    folder = pathlib.Path(__file__).parent.parent / "Tests/DistributedTests/Fixtures"
    (folder / "normalisation.json").write_text(json.dumps(values) + "\n")


if __name__ == "__main__":
    main()
