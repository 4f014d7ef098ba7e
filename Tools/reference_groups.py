#!/usr/bin/env python3
"""Prints reference values for the measures of a matrix of accuracies by group, computed by Avalanche and CapyMOA.

    python3 Tools/reference_groups.py > Tests/OnePassTests/Fixtures/groups.json

What they call forgetting and backward transfer is not always what the papers do. Avalanche 0.6.0's `Forgetting` compares the last row
with the diagonal, which is the backward transfer of Lopez-Paz and Ranzato with its sign changed, and is the reference here. CapyMOA
0.15.1's `_backwards_transfer` is the mean over all pairs below the diagonal, and is printed to show that it differs. The average anytime
accuracy is computed by its definition.
"""

import json
import random

import torch
from avalanche.evaluation.metrics.forgetting_bwt import Forgetting
from capymoa.ocl.evaluation._metrics import _backwards_transfer

SIZES = (2, 3, 5)


def main():
    result = []
    for number, size in enumerate(SIZES * 4):
        chance = random.Random(number)
        matrix = [[round(chance.random(), 3) for _ in range(size)] for _ in range(size)]
        forgetting = Forgetting()
        for group in range(size):
            forgetting.update(group, matrix[group][group], initial=True)
            forgetting.update(group, matrix[-1][group])
        values = [forgetting.result_key(group) for group in range(size - 1)]
        seen = [sum(row[:i + 1]) / (i + 1) for i, row in enumerate(matrix)]
        result.append({
            "matrix": matrix, "backwardTransfer": -sum(values) / len(values), "averageAnytimeAccuracy": sum(seen) / size,
            "capymoa": _backwards_transfer(torch.tensor(matrix, dtype=torch.float64))})
    print(json.dumps(result, indent=1))


main()
