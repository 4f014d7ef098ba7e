#!/usr/bin/env python3
"""A service as it is usually written: FastAPI and PyTorch, one prediction per request on a thread of the pool."""

import argparse
import sys

import serving_model

try:
    import torch
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
except ImportError:
    sys.exit(69)

arguments = serving_model.options(argparse.ArgumentParser(description=__doc__)).parse_args()
model = serving_model.load(arguments)
app = FastAPI()


@torch.inference_mode()
def classes(content):
    probabilities = model(serving_model.prepare(content, arguments.side)[None]).softmax(1)[0]
    values, labels = probabilities.topk(5)
    return [{"label": label, "probability": value} for label, value in zip(labels.tolist(), values.tolist())]


@app.get("/ready")
def ready():
    return {"ready": True}


@app.post("/predict")
async def predict(request: Request):
    return {"classes": await run_in_threadpool(classes, await request.body())}


uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")
