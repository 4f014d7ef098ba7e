#!/usr/bin/env python3
"""Makes WebDataset shards of photographs in class folders: photos.tar, as they are, and small.tar, 64 pixels a side.

    python make_shards.py photographs.tar FOLDER

Each holds 1,024 examples: the photographs again and again, with labels from 0 to 9.
"""

import io
import itertools
import sys
import tarfile
from pathlib import Path

from PIL import Image

EXAMPLES = 1024


def photographs(path):
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.lower().endswith((".jpg", ".jpeg")):
                yield archive.extractfile(member).read()


def smaller(jpeg):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).convert("RGB").resize((64, 64), Image.Resampling.BICUBIC).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


def write(path, jpegs):
    with tarfile.open(path, "w") as archive:
        for index, jpeg in enumerate(itertools.islice(itertools.cycle(jpegs), EXAMPLES)):
            for suffix, content in (("jpg", jpeg), ("cls", str(index % 10).encode())):
                member = tarfile.TarInfo(f"{index:06}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    source, folder = map(Path, sys.argv[1:3])
    originals = list(photographs(source))
    write(folder / "photos.tar", originals)
    write(folder / "small.tar", [smaller(jpeg) for jpeg in originals])
