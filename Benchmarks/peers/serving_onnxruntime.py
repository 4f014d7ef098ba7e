#!/usr/bin/env python3
"""Predictions of onnxruntime on tensors in memory: no HTTP, no decoding. Prints images a second by mini-batch size as JSON."""

import argparse
import json
import os
import sys
import tempfile
import time

import serving_model

try:
    import numpy as np
    import onnxruntime
    import torch
except ImportError:
    sys.exit(69)

parser = serving_model.options(argparse.ArgumentParser(description=__doc__))
parser.add_argument("--seconds", type=float, default=6)
arguments = parser.parse_args()
model = serving_model.load(arguments)
rates = {}
with tempfile.TemporaryDirectory() as folder:
    for batch in (1, 16):
        images = torch.randn(batch, 3, arguments.side, arguments.side)
        path = os.path.join(folder, f"{batch}.onnx")
        torch.onnx.export(model, (images,), path, input_names=["image"], output_names=["logits"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {"image": images.numpy()}
        expected = model(images).detach().numpy()
        difference = np.abs(session.run(None, inputs)[0] - expected).max() / np.abs(expected).max()
        assert difference < 1e-3, difference
        count, start = 0, time.monotonic()
        while time.monotonic() - start < arguments.seconds:
            session.run(None, inputs)
            count += batch
        rates[batch] = count / (time.monotonic() - start)
print(json.dumps(rates))
