#!/usr/bin/env python3
"""Writes the last COUNT examples of a WebDataset shard to a separate shard: held-out data for selection.

    Benchmarks/hold_out.py ../shared/data/cifar10-train.tar.zst 5000 cifar10-held-out.tar

Requires zstd for .tar.zst. A run does not train on the held-out examples if --limit is at most the number of the other examples.
"""

import subprocess
import sys
import tarfile
from pathlib import Path


def members(path):
    """Yields (name, bytes) of every file in a tar or tar.zst, in order."""
    command = ["zstd", "--decompress", "--stdout", path] if path.endswith(".zst") else ["cat", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    yield member, tar.extractfile(member)
    if process.returncode:
        sys.exit(f"hold_out: cannot read {path}")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    source, count, target = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    keys = list(dict.fromkeys(member.name.split(".")[0] for member, _ in members(source)))
    held = set(keys[-count:])
    with tarfile.open(target, "w") as shard:
        for member, contents in members(source):
            if member.name.split(".")[0] in held:
                shard.addfile(member, contents)
    print(f"{target}: {len(held)} of {len(keys)} examples")


main()
