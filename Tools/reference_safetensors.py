"""Writes and reads safetensors files with the reference library (pip install safetensors==0.6.2 numpy).

    python Tools/reference_safetensors.py                writes python.safetensors and precisions.safetensors in
                                                         Tests/OnePassTorchTests/Fixtures
    python Tools/reference_safetensors.py --check FILE   reads a file that OnePass wrote and lists its tensors
"""

import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open, serialize
from safetensors.numpy import save_file

FIXTURES = Path(__file__).resolve().parent.parent / "Tests/OnePassTorchTests/Fixtures"

if len(sys.argv) == 3 and sys.argv[1] == "--check":
    with safe_open(sys.argv[2], "numpy") as file:
        print("metadata", file.metadata())
        for name in file.keys():
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, tensor.shape, float(tensor.astype(np.float64).sum()))
else:
    save_file(
        {
            "matrix": np.array([[1.5, -2, 3.25], [0, 1e-30, np.inf]], dtype=np.float32),
            "steps": np.array(2**40 + 1, dtype=np.int64),
            "empty": np.zeros((0, 3), dtype=np.float32),
            "größe\n": np.array([7], dtype=np.float32),
        },
        FIXTURES / "python.safetensors",
        metadata={"format": "pt", "note": "written by Python"},
    )

    # Ordinary numbers, both zeros, the limits of each range, subnormal numbers, infinities.
    values = [1.5, -2, 0, -0.0, 1 / 3, 65504, 6.1e-5, 6e-8, -1e-7, 3e38, 1e-40, np.inf, -np.inf]
    with np.errstate(over="ignore"):
        halves = np.array(values, np.float16)
        doubles = np.array(values + [1e300, 1e-300, 0.1], np.float64)
        singles = doubles.astype(np.float32)
    # The upper 16 bits of a float32.
    upper = (np.array(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    cut = (upper.astype(np.uint32) << 16).view(np.float32)
    tensors = {
        "F16": ("float16", halves), "F16 as F32": ("float32", halves.astype(np.float32)),
        "BF16": ("bfloat16", upper), "BF16 as F32": ("float32", cut),
        "F64": ("float64", doubles), "F64 as F32": ("float32", singles),
    }
    (FIXTURES / "precisions.safetensors").write_bytes(
        serialize({name: {"dtype": type, "shape": array.shape, "data": array.tobytes()}
                   for name, (type, array) in tensors.items()}))
