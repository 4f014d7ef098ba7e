"""Writes reference values of augmentation: the results of torchvision's RandAugment and TrivialAugmentWide.

    python Tools/reference_augmentation.py

Requires torch 2.11, torchvision 0.26, Pillow and NumPy. Writes
Tests/OnePassDataTests/Fixtures/Images/operations.json. Names, magnitudes and operations are torchvision's, with Pillow.
"""

import base64
import json
import pathlib

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

FILE = pathlib.Path(__file__).resolve().parent.parent / "Tests/OnePassDataTests/Fixtures/Images/operations.json"
BINS = 31
POLICIES = {"rand": (v2.RandAugment(), [9, 30]), "trivial": (v2.TrivialAugmentWide(), [10, 20, 30])}


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def images():
    """Inputs by name: photograph-like (smooth gradients, a few edges, noise), grey, tiny, and with few levels."""
    chance = np.random.default_rng(8)
    noise = torch.from_numpy(chance.integers(0, 256, (3, 40, 40)).astype(np.uint8))
    soft = F.gaussian_blur(noise, 9).float()
    soft = ((soft - soft.mean()) * 6 + 110).clamp(12, 240)[:, 8:32, 8:32].permute(1, 2, 0).numpy()
    soft[5:15, 7:11] *= 0.4
    photograph = np.clip(soft + chance.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
    few = chance.choice([60, 61, 200], (20, 20, 3)).astype(np.uint8)
    few[:, :, 2] = 77
    return {
        "photograph": photograph,
        "grey": np.ascontiguousarray(photograph[:17, 3:20, 1]),
        "tiny": chance.integers(0, 256, (5, 5, 3)).astype(np.uint8),
        "few levels": few,
    }


def cases():
    for name, pixels in images().items():
        image = Image.fromarray(pixels)
        for policy, (transform, bins) in POLICIES.items():
            for operation, (magnitudes, is_signed) in transform._AUGMENTATION_SPACE.items():
                values = magnitudes(BINS, image.height, image.width)
                for index in bins if values is not None else [0]:
                    for sign in [1, -1] if is_signed else [1]:
                        magnitude = sign * float(values[index]) if values is not None else 0.0
                        result = transform._apply_image_or_video_transform(
                            image, operation, magnitude, interpolation=InterpolationMode.NEAREST, fill=transform._fill)
                        yield {
                            "image": name, "policy": policy, "operation": operation, "bin": index, "sign": sign,
                            "magnitude": magnitude,
                            "result": text(np.asarray(result))}


if __name__ == "__main__":
    inputs = [
        {"name": name, "side": pixels.shape[0], "channels": pixels.size // pixels.shape[0] ** 2, "levels": text(pixels)}
        for name, pixels in images().items()]
    FILE.write_text(json.dumps({"images": inputs, "cases": list(cases())}, indent=0))
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}: {FILE}")
