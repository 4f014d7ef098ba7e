#!/usr/bin/env python3
"""Prints reference values for the measures of predictions made before training, computed by River and torchmetrics.

    python3 Tools/reference_online.py > Tests/OnePassTests/Fixtures/online.json

Predictions with five classes that become better: label, class, probability and cross-entropy of each, the numbers as bit patterns of
float32. Accuracy and cross-entropy of all and of the last 1,000 by River, calibration errors with 15 intervals by torchmetrics.
"""

import json
import struct

import torch
from river import metrics, utils
from torchmetrics.classification import MulticlassCalibrationError

COUNT, CLASSES, WINDOW = 1600, 5, 1000


def bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def calibration(probabilities, labels):
    error = MulticlassCalibrationError(CLASSES, n_bins=15, norm="l1")
    return float(error(probabilities, labels))


def main():
    torch.manual_seed(5)
    labels = torch.randint(CLASSES, (COUNT,))
    logits = torch.randn(COUNT, CLASSES) * 2
    logits[range(COUNT), labels] += torch.linspace(0, 3, COUNT)
    probabilities = logits.softmax(1)
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    values, classes = probabilities.max(1)
    all_, recent = metrics.Accuracy(), utils.Rolling(metrics.Accuracy, window_size=WINDOW)
    loss, recent_loss = metrics.CrossEntropy(), utils.Rolling(metrics.CrossEntropy, window_size=WINDOW)
    points = []
    for i in range(COUNT):
        label, predicted = int(labels[i]), int(classes[i])
        shares = {k: float(p) for k, p in enumerate(probabilities[i])}
        all_.update(label, predicted), recent.update(label, predicted)
        loss.update(label, shares), recent_loss.update(label, shares)
        if i + 1 in (1, 10, 999, 1000, 1001, 1300, COUNT):
            first = max(0, i + 1 - WINDOW)
            points.append({
                "count": i + 1, "accuracy": all_.get(), "loss": loss.get(), "windowAccuracy": recent.get(),
                "windowLoss": recent_loss.get(),
                "calibrationError": calibration(probabilities[:i + 1], labels[:i + 1]),
                "windowCalibrationError": calibration(probabilities[first:i + 1], labels[first:i + 1])})
    print(json.dumps({
        "labels": labels.tolist(), "classes": classes.tolist(), "probabilities": [bits(float(v)) for v in values],
        "losses": [bits(float(v)) for v in losses], "points": points}))


main()
