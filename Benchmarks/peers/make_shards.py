#!/usr/bin/env python3
"""Writes the WebDataset shards for the benchmarks, from photographs in class folders and from CIFAR-10.

    python make_shards.py FOLDER PHOTOS CIFAR

photos.tar      the original photographs, with labels from 0 to 9
small-64.tar    the same at 64 x 64 (quality 90)
long-photos.tar, long-64.tar    1,024 examples: the same images, repeated
samples.tar     the first 5,000 examples of CIFAR-10; small-32.tar has only their images
"""

import io
import itertools
import sys
import tarfile
from pathlib import Path

import zstandard
from PIL import Image

LONG, SAMPLES = 1024, 5000


def write(path, files):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def labelled(jpegs):
    for index, jpeg in enumerate(jpegs):
        yield f"{index:06}.jpg", jpeg
        yield f"{index:06}.cls", str(index % 10).encode()


def smaller(jpeg):
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    image.resize((64, 64), Image.Resampling.BILINEAR).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


def photographs(path):
    with tarfile.open(path) as archive:
        files = (archive.extractfile(member).read() for member in archive if member.isfile())
        return [content for content in files if content[:2] == b"\xff\xd8"]


def samples(path):
    with open(path, "rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            return [(member.name, archive.extractfile(member).read()) for member in itertools.islice(archive, 2 * SAMPLES)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    originals = photographs(sys.argv[2])
    for name, jpegs in (("photos", originals), ("64", [smaller(jpeg) for jpeg in originals])):
        write(folder / ("photos.tar" if name == "photos" else "small-64.tar"), labelled(jpegs))
        write(folder / f"long-{name}.tar", labelled(itertools.islice(itertools.cycle(jpegs), LONG)))
    cifar = samples(sys.argv[3])
    write(folder / "small-32.tar", [(name, content) for name, content in cifar if name.endswith(".jpg")])
    # Written last; its presence marks a complete folder.
    write(folder / "samples.tar", cifar)
