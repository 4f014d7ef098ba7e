"""Writes small data sets in common archive formats, and the reference values that other tools read from them.

    python Tools/reference_archives.py

Requires torchvision 0.26. Writes to Tests/OnePassDataTests/Fixtures/archives/:
- folders.zip, nested.zip, streamed.zip by Python's zipfile: stored and deflated entries, a top-level folder, and the data
  descriptors and Zip64 fields of a pipe,
- train.tar by Python's tarfile: a tar of class tars, as ILSVRC2012_img_train,
- expected.json: [path, contents, label] of each file that torchvision's ImageFolder lists in the unpacked folders,
- cifar10/, cifar100/: the binary version after https://www.cs.toronto.edu/~kriz/cifar.html, from random pixels. pixels.bin has
  the pixels that torchvision's CIFAR10 and CIFAR100 read from a Python version of the same images (height, width, channel;
  training images first). labels.json has the labels.
The images in the archives are short texts, because they are not decoded.
"""

import io
import json
import os
import pathlib
import pickle
import shutil
import tarfile
import tempfile
import zipfile

import numpy
from torchvision import datasets

OUT = pathlib.Path(__file__).parent.parent / "Tests/OnePassDataTests/Fixtures/archives"
FILES = [
    "cat/z.jpg", "cat/b.jpg", "cat/a.JPEG", "cat/deep/er/c.png", "cat/deep-/d.jpg", "Dog/1.jpg", "dog/2.Png", "cat-/x.jpg",
    "grün/été.jpg",
]
OTHERS = ["cat/notes.txt", "readme.jpg", "dog/jpg"]


class Pipe(io.RawIOBase):
    """A stream without seek, so that zipfile writes sizes after the bodies."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


def body(name):
    return (name + " ").encode() * (200 if "deep" in name else 1)


def write_zip(target, prefix, **options):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        if prefix:
            archive.mkdir(prefix)
        for number, name in enumerate(FILES + OTHERS):
            info = zipfile.ZipInfo(prefix + name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if number % 2 else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", **options) as entry:
                entry.write(body(name))
        archive.writestr(zipfile.ZipInfo("__MACOSX/" + prefix + "cat/._b.jpg", (2026, 1, 1, 0, 0, 0)), b"resource fork")


def tar_of(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def write_ilsvrc(target):
    inner = []
    for synset in ["n02", "n01", "n10"]:
        images = [(f"{synset}_{number}.JPEG", body(f"{synset} {number}") * 40) for number in [10, 9, 100]]
        inner.append((f"{synset}.tar", tar_of(images)))
    target.write_bytes(tar_of(inner))


def listed(root):
    rows = datasets.ImageFolder(root, loader=lambda path: path)
    return [[os.path.relpath(path, root), pathlib.Path(path).read_text(), label] for path, label in rows.samples]


def unpacked_zip(path, inside):
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(path).extractall(folder)
        shutil.rmtree(folder + "/__MACOSX")
        return listed(folder + "/" + inside)


def unpacked_ilsvrc(path):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(path) as outer:
            for member in outer:
                inner = tarfile.open(fileobj=outer.extractfile(member))
                inner.extractall(f"{folder}/{member.name.removesuffix('.tar')}", filter="data")
        return listed(folder)


def write_cifar(base, folder, kind, files, names_file, names, classes, coarse):
    """Writes both versions; returns the images that torchvision reads from the Python version."""
    random = numpy.random.default_rng(classes)
    out = OUT / folder
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary) / base
        root.mkdir()
        for python, binary in files:
            planes = random.integers(0, 256, (2, 3072), dtype=numpy.uint8)
            labels = [(7 * count) % classes, (7 * count + 7) % classes]
            count += 2
            record = {"data": planes, "labels" if kind is datasets.CIFAR10 else "fine_labels": labels}
            (root / python).write_bytes(pickle.dumps(record))
            (out / binary).write_bytes(b"".join(
                bytes([label // 5] * coarse + [label]) + image.tobytes() for label, image in zip(labels, planes)
            ))
        key = "label_names" if kind is datasets.CIFAR10 else "fine_label_names"
        (root / kind.meta["filename"]).write_bytes(pickle.dumps({key: names}))
        kind._check_integrity = lambda self: True
        datasets.cifar.check_integrity = lambda *arguments: True
        parts = [kind(temporary, train=train) for train in [True, False]]
    (out / names_file).write_text("\n".join(names) + "\n\n")
    (out / "pixels.bin").write_bytes(b"".join(part.data.tobytes() for part in parts))
    (out / "labels.json").write_text(json.dumps([list(map(int, part.targets)) for part in parts]) + "\n")


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
write_zip(OUT / "folders.zip", "")
write_zip(OUT / "nested.zip", "photos/")
pipe = Pipe()
# The fields of an archive with more than 4 GiB and more than 65,535 files.
limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 8, 4
write_zip(pipe, "", force_zip64=True)
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits
(OUT / "streamed.zip").write_bytes(pipe.data)
write_ilsvrc(OUT / "train.tar")
expected = {
    "folders.zip": unpacked_zip(OUT / "folders.zip", ""),
    "nested.zip": unpacked_zip(OUT / "nested.zip", "photos"),
    "streamed.zip": unpacked_zip(OUT / "streamed.zip", ""),
    "train.tar": unpacked_ilsvrc(OUT / "train.tar"),
}
(OUT / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
write_cifar(
    "cifar-10-batches-py", "cifar10", datasets.CIFAR10,
    [(f"data_batch_{n}", f"data_batch_{n}.bin") for n in range(1, 6)] + [("test_batch", "test_batch.bin")],
    "batches.meta.txt", [f"class {n}" for n in range(10)], 10, 0,
)
write_cifar(
    "cifar-100-python", "cifar100", datasets.CIFAR100, [("train", "train.bin"), ("test", "test.bin")],
    "fine_label_names.txt", [f"fine {n}" for n in range(100)], 100, 1,
)
print({name: len(rows) for name, rows in expected.items()})
