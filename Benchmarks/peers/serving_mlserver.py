#!/usr/bin/env python3
"""MLServer with a runtime that predicts by PyTorch, with adaptive batching of up to 32 requests."""

import argparse
import asyncio
import base64
import os
import sys

import serving_model

try:
    import torch
    from mlserver import MLModel, MLServer
    from mlserver.settings import ModelParameters, ModelSettings, Settings
    from mlserver.types import InferenceResponse, ResponseOutput
except ImportError:
    sys.exit(69)


class ResNet(MLModel):
    async def load(self):
        arguments = options()
        self.side, self.network = arguments.side, serving_model.load(arguments)
        return True

    async def predict(self, payload):
        images = [serving_model.prepare(base64.b64decode(item), self.side) for item in payload.inputs[0].data.root]
        with torch.inference_mode():
            probabilities = self.network(torch.stack(images)).softmax(1)
        output = ResponseOutput(name="probabilities", shape=list(probabilities.shape), datatype="FP32",
                                data=probabilities.flatten().tolist())
        return InferenceResponse(model_name=self.name, outputs=[output])


def options():
    return serving_model.options(argparse.ArgumentParser(description=__doc__)).parse_args()


async def main():
    port = options().port
    server = MLServer(Settings(host="127.0.0.1", http_port=port, grpc_port=port + 1, metrics_port=port + 2, parallel_workers=0,
                               debug=False))
    resnet = ModelSettings(name="resnet", implementation=ResNet, max_batch_size=32, max_batch_time=0.005,
                           parameters=ModelParameters(version="1"))
    await server.start([resnet])


os.environ.setdefault("MLSERVER_LOGGING_SETTINGS", "")
asyncio.run(main())
