"""Safetensors files in both directions, against the reference library (pip install safetensors==0.6.2 numpy).

    python Tools/reference_safetensors.py                writes Tests/OnePassTorchTests/Fixtures/python.safetensors
    python Tools/reference_safetensors.py --check FILE   reads a file that OnePass wrote and lists its tensors
"""

import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

FIXTURE = Path(__file__).resolve().parent.parent / "Tests/OnePassTorchTests/Fixtures/python.safetensors"

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
        FIXTURE,
        metadata={"format": "pt", "note": "written by Python"},
    )
