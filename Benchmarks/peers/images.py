#!/usr/bin/env python3
"""Measures Python image loaders: images per second from encoded bytes to augmented float batches.

    python images.py CASE PROGRAM TAR [SECONDS]     one JSON record
    python images.py list                           the programs of each case, one "CASE PROGRAM" per line

Cases: `photos` (resize to 250 x 250, crop 224), `small` (pad by 4, crop at the image's own size), both flipped and
normalised to float32, channels last, in batches of 128; `decode` (files of any format to RGB), `bare` (decoding alone) and `tar`
(reading a WebDataset tar).
Every program has one process and one thread. Rates are per second of wall time and of the process's processor time.
"""

import io
import json
import os
import sys
import tarfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

BATCH, PADDING = 128, 4
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
FACTOR, OFFSET = 1 / (255 * DEVIATION), -MEAN / DEVIATION
chance = np.random.default_rng(1)


def read_tar(path, only_jpeg=True):
    with tarfile.open(path) as tar:
        files = (tar.extractfile(member).read() for member in tar if member.isfile())
        return [data for data in files if not only_jpeg or data[:2] == b"\xff\xd8"]


class Arrays:
    """Decodes to an array and augments image by image with OpenCV and numpy, so that an image stays in the caches."""

    def __init__(self, decode, resize=None):
        self.decode, self.resize = decode, resize

    def setup(self, images, is_small):
        self.is_small = is_small
        first = self.decode(images[0])
        self.size = max(first.shape[:2]) if is_small else 224
        # Complete rows, because numpy is slow over a last axis of three.
        self.factor, self.offset = np.tile(FACTOR, self.size), np.tile(OFFSET, self.size)
        self.floats = np.zeros((BATCH, self.size, self.size * 3), np.float32)
        self.flip = cv2_alone().flip
        self.padded = np.zeros((self.size + 2 * PADDING, self.size + 2 * PADDING, 3), np.uint8)

    def batch(self, images):
        size = self.size
        for index, data in enumerate(images):
            image = self.decode(data)
            if self.is_small:
                self.padded[PADDING:-PADDING, PADDING:-PADDING] = image
                plane, room = self.padded, 2 * PADDING
            else:
                plane, room = self.resize(image), 250 - size
            top, left, flip = chance.integers(room + 1), chance.integers(room + 1), chance.integers(2)
            crop = plane[top:top + size, left:left + size]
            crop = self.flip(crop, 1) if flip else np.ascontiguousarray(crop)
            floats = self.floats[index]
            np.multiply(crop.reshape(size, size * 3), self.factor, out=floats)
            floats += self.offset
        return self.floats[:len(images)].reshape(-1, size, size, 3)


def cv2_alone():
    import cv2
    cv2.setNumThreads(0)
    return cv2


def opencv(decode, interpolation="linear"):
    """OpenCV's resize: INTER_LINEAR is not antialiased, INTER_AREA is."""
    cv2 = cv2_alone()
    mode = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}[interpolation]
    return Arrays(decode, lambda image: cv2.resize(image, (250, 250), interpolation=mode))


def simplejpeg_decoder(fast=False):
    import simplejpeg
    return lambda data: simplejpeg.decode_jpeg(data, "RGB", fastdct=fast, fastupsample=fast)


def turbojpeg_decoder(fast=False):
    from turbojpeg import TJFLAG_FASTDCT, TJPF_RGB, TurboJPEG
    flags = TJFLAG_FASTDCT if fast else 4096  # TJFLAG_ACCURATEDCT
    try:
        decoder = TurboJPEG()
    except RuntimeError as error:  # The package does not include the library.
        raise ImportError(f"install libturbojpeg0 ({str(error).splitlines()[0]})") from error
    return lambda data: decoder.decode(data, pixel_format=TJPF_RGB, flags=flags)


def opencv_decoder():
    cv2 = cv2_alone()
    return lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)


class TorchvisionPlain:
    """Pillow and torchvision's transforms, image by image: the usual implementation."""

    loader_workers = None

    def setup(self, images, is_small):
        import torch
        from PIL import Image
        from torchvision import transforms as T
        torch.set_num_threads(1)
        size = max(Image.open(io.BytesIO(images[0])).size)
        geometry = [T.RandomCrop(size, padding=PADDING)] if is_small else [T.Resize((250, 250)), T.RandomCrop(224)]
        transform = T.Compose([*geometry, T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(MEAN, DEVIATION)])
        self.one = lambda data: transform(Image.open(io.BytesIO(data)).convert("RGB"))
        self.stack = lambda tensors: torch.stack(tensors).contiguous(memory_format=torch.channels_last)

    def batch(self, images):
        return self.stack([self.one(data) for data in images])


class PillowDataLoader(TorchvisionPlain):
    """The same with torch's DataLoader without workers, because the comparison uses one core."""

    def setup(self, images, is_small):
        super().setup(images, is_small)
        import torch

        class Images(torch.utils.data.Dataset):
            def __len__(dataset):
                return len(dataset.batch_images)

            def __getitem__(dataset, index):
                return self.one(dataset.batch_images[index])

        self.dataset, self.loader = Images(), torch.utils.data.DataLoader

    def batch(self, images):
        self.dataset.batch_images = images
        return next(iter(self.loader(self.dataset, batch_size=BATCH, collate_fn=self.stack)))


class TorchvisionTuned:
    """torchvision's decoder, uint8 until the end, antialiased resize, normalised as one batch."""

    def setup(self, images, is_small):
        import torch
        from torchvision.io import ImageReadMode, decode_jpeg
        from torchvision.transforms.v2 import functional as F
        torch.set_num_threads(1)
        self.torch, self.F, self.is_small = torch, F, is_small
        self.decode = lambda data: decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)
        self.size = max(self.decode(images[0]).shape[1:]) if is_small else 224
        self.factor = torch.from_numpy(FACTOR).view(3, 1, 1)
        self.offset = torch.from_numpy(OFFSET).view(3, 1, 1)

    def batch(self, images):
        planes = []
        for data in images:
            plane = self.decode(data)
            plane = self.F.pad(plane, PADDING) if self.is_small else self.F.resize(plane, [250, 250], antialias=True)
            room = plane.shape[1] - self.size
            top, left = chance.integers(room + 1), chance.integers(room + 1)
            plane = plane[:, top:top + self.size, left:left + self.size]
            planes.append(plane.flip(2) if chance.integers(2) else plane)
        batch = self.torch.stack(planes).contiguous(memory_format=self.torch.channels_last)
        return batch.float().mul_(self.factor).add_(self.offset)


class MLXData:
    """mlx-data's C++ pipeline, without prefetching threads."""

    def setup(self, images, is_small):
        import mlx.data as dx
        self.is_small, self.dx = is_small, dx
        self.size = max(opencv_decoder()(images[0]).shape[:2]) if is_small else 224

    def batch(self, images):
        buffer = self.dx.buffer_from_vector([{"image": np.frombuffer(bytearray(data), np.uint8)} for data in images])
        stream = buffer.to_stream().load_image("image", from_memory=True)
        if self.is_small:
            stream = stream.pad("image", 0, PADDING, PADDING, 0).pad("image", 1, PADDING, PADDING, 0)
        else:
            stream = stream.image_resize("image", 250, 250)
        stream = stream.image_random_crop("image", self.size, self.size).image_random_h_flip("image", 0.5)
        stream = stream.key_transform("image", lambda x: x.astype(np.float32) * FACTOR + OFFSET)
        return next(stream.batch(BATCH))["image"]


class BareDecode:
    def __init__(self, decode):
        self.decode = decode

    def setup(self, images, is_small):
        pass

    def batch(self, images):
        for data in images:
            self.decode(data)


def pillow_decoder():
    from PIL import Image
    return lambda data: Image.open(io.BytesIO(data)).convert("RGB")


def ffcv_program():
    import ffcv  # noqa: F401
    raise ImportError("FFCV is importable here, but its own file format is not written by this script")


PROGRAMS = {
    ("photos", "simplejpeg + OpenCV"): lambda: opencv(simplejpeg_decoder()),
    ("photos", "simplejpeg + OpenCV, area"): lambda: opencv(simplejpeg_decoder(), "area"),
    ("photos", "PyTurboJPEG + OpenCV"): lambda: opencv(turbojpeg_decoder()),
    ("photos", "PyTurboJPEG + OpenCV, area"): lambda: opencv(turbojpeg_decoder(), "area"),
    ("photos", "PyTurboJPEG + OpenCV, fast DCT"): lambda: opencv(turbojpeg_decoder(fast=True)),
    ("photos", "OpenCV alone"): lambda: opencv(opencv_decoder()),
    ("small", "simplejpeg + OpenCV"): lambda: Arrays(simplejpeg_decoder()),
    ("small", "OpenCV alone"): lambda: Arrays(opencv_decoder()),
    ("decode", "Pillow"): lambda: BareDecode(pillow_decoder()),
    ("bare", "simplejpeg"): lambda: BareDecode(simplejpeg_decoder()),
    **{(case, name): program for case in ("photos", "small") for name, program in {
        "torchvision tuned": TorchvisionTuned, "torchvision plain": TorchvisionPlain,
        "Pillow in a DataLoader": PillowDataLoader, "mlx-data": MLXData, "FFCV": ffcv_program}.items()},
}


def webdataset_pass(path):
    import webdataset
    return sum(1 for _ in webdataset.WebDataset(path, shardshuffle=False))


def measure(case, name, path, seconds):
    if case == "tar":
        work = lambda: webdataset_pass(path)
    else:
        images = read_tar(path, case != "decode")
        program = PROGRAMS[case, name]()
        program.setup(images, case == "small")

        def work():
            for first in range(0, len(images), BATCH):
                program.batch(images[first:first + BATCH])
            return len(images)

    work()
    count, wall, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - wall < seconds:
        count += work()
    return {"case": case, "program": name, "threads": 1, "images": count,
            "images_per_second": count / (time.monotonic() - wall),
            "images_per_cpu_second": count / (time.process_time() - cpu)}


def main():
    arguments = sys.argv[1:]
    if arguments == ["list"]:
        print("\n".join(f"{case} {name}" for case, name in [*PROGRAMS, ("tar", "webdataset")]))
    elif len(arguments) in (3, 4):
        case, name, path = arguments[:3]
        try:
            print(json.dumps(measure(case, name, path, float(arguments[3]) if len(arguments) == 4 else 3)))
        except ImportError as error:
            print(f"images.py: {name} is skipped: {error}", file=sys.stderr)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
