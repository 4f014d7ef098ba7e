"""The model of the serving peers: torchvision's, with the weights that OnePass serves, and torchvision's preparation of images."""

import json
import struct
import sys
from io import BytesIO

try:
    import numpy as np
    import torch
    import torchvision
    from PIL import Image
except ImportError:
    sys.exit(69)

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def weights(path):
    """The tensors of a safetensors file."""
    content = open(path, "rb").read()
    length = struct.unpack("<Q", content[:8])[0]
    tensors = {}
    for name, entry in json.loads(content[8:8 + length]).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            kind = {"F32": np.float32, "I64": np.int64}[entry["dtype"]]
            tensors[name] = torch.from_numpy(np.frombuffer(content[start:end], kind).reshape(entry["shape"]).copy())
    return tensors


def load(arguments):
    model = getattr(torchvision.models, arguments.model)(num_classes=10)
    model.load_state_dict(weights(arguments.weights))
    return model.eval()


def prepare(content, side):
    image = Image.open(BytesIO(content)).convert("RGB").resize((side, side), Image.BILINEAR)
    array = (np.asarray(image, np.float32) / 255 - np.float32(MEAN)) / np.float32(DEVIATION)
    return torch.from_numpy(array.transpose(2, 0, 1))


def options(parser):
    parser.add_argument("--model", required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--port", type=int, default=0)
    return parser
