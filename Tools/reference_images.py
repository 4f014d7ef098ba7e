"""Writes the image fixtures and their reference values with Pillow and torchvision.

    python Tools/reference_images.py [--shared ../shared/data] [--full imagenet-224.bin]

Requires torch 2.11, torchvision 0.26, Pillow and NumPy, and libturbojpeg 2.1 or newer for formats that Pillow does not write.
Writes to Tests/OnePassDataTests/Fixtures/Images/. With --shared it also writes a summary of the ImageNet sample. With --full
it writes the complete crops of that sample (30 MB, not committed). A test compares them pixel by pixel if
ONEPASS_IMAGE_REFERENCE names the file.
"""

import argparse
import base64
import ctypes
import ctypes.util
import io
import json
import pathlib
import struct
import tarfile
import zlib

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests/OnePassDataTests/Fixtures/Images"
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SAMPLES = 64


def base64_text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def pattern(width, height, channels):
    """Pixels by a formula that the Swift test also computes: gradients, edges and fine texture."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    value = 3 * x + 5 * y + 40 * c + 9 * ((x * y + c * x) % 13) + 90 * ((x // 5 + y // 3) % 2)
    return (value % 256).astype(np.uint8)


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 90, **options})
    return out.getvalue()


def png(image, **options):
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


TURBO_RGB, TURBO_CMYK = 0, 11
TURBO_420, TURBO_440, TURBO_411 = 2, 4, 5


def turbo(pixels, pixel_format, subsampling):
    """A JPEG that Pillow cannot write (YCCK, 4:4:0, 4:1:1), written by TurboJPEG's tjCompress2."""
    library = ctypes.CDLL(ctypes.util.find_library("turbojpeg") or "libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    height, width, _ = pixels.shape
    buffer, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong(0)
    status = library.tjCompress2(
        handle, np.ascontiguousarray(pixels).ctypes.data_as(ctypes.c_void_p), width, 0, height, pixel_format,
        ctypes.byref(buffer), ctypes.byref(size), subsampling, 90, 0)
    assert status == 0
    return bytes(buffer[: size.value])


def raw_png(rows_of, width, height, depth, colour, channels, interlaced=False):
    """A PNG with features that Pillow does not write: 16-bit colour and Adam7."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x0, y0, dx, dy in passes:
        part = rows_of[y0::dy, x0::dx]
        if part.size:
            data += b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


def claim(data, width, height):
    """The same file with a different size in its header."""
    if data[:2] == b"\xff\xd8":
        at = next(i for i in range(2, len(data)) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC2))
        return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9:]
    header = data[12:16] + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def good_files():
    width, height = 37, 29
    rgb = pattern(width, height, 3)
    smooth = F.gaussian_blur(torch.from_numpy(rgb).permute(2, 0, 1), 5).permute(1, 2, 0).contiguous().numpy()
    image, grey = Image.fromarray(smooth), Image.fromarray(np.ascontiguousarray(smooth[:, :, 0]))
    cmyk = np.concatenate([255 - smooth, pattern(width, height, 1) // 2 + 60], axis=2)
    deep = rgb.astype(np.uint16) * 257 // 2 + 11
    alpha = np.concatenate([rgb, pattern(width, height, 1)], axis=2)
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = jpeg(image, subsampling=2)
    return {
        "grey.jpg": jpeg(grey),
        "444.jpg": jpeg(image, subsampling=0),
        "422.jpg": jpeg(image, subsampling=1),
        "420.jpg": whole,
        "progressive.jpg": jpeg(image, progressive=True, subsampling=2),
        "restarts.jpg": jpeg(image, restart_marker_blocks=2),
        "adobe-rgb.jpg": jpeg(image, keep_rgb=True),
        "cmyk.jpg": jpeg(Image.fromarray(cmyk, "CMYK")),
        "ycck.jpg": turbo(cmyk, TURBO_CMYK, TURBO_420),
        "exif-rotated.jpg": jpeg(image, exif=exif),
        "jpeg-called.png": whole,
        "png-called.jpg": png(image),
        "trailing-bytes.jpg": whole + b"not part of the image",
        "stray-bytes.jpg": whole[:-2] + b"stray\xff\xd9",
        "hole-before-end.jpg": whole[:-40] + b"\xff\xd9",
        "rgb.png": png(Image.fromarray(rgb)),
        "grey.png": png(Image.fromarray(rgb[:, :, 0].copy())),
        "one-bit.png": png(Image.fromarray(rgb[:, :, 0] > 127)),
        "two-bit.png": raw_png(
            np.packbits(np.unpackbits(rgb[:, :36, :1].reshape(height, 36, 1), axis=2)[:, :, :2].reshape(height, 72), axis=1),
            36, height, 2, 0, 1),
        "palette.png": png(image.quantize(200)),
        "palette-4-bit.png": png(image.quantize(13)),
        "palette-transparent.png": png(image.quantize(50), transparency=3),
        "rgba.png": png(Image.fromarray(alpha)),
        "grey-alpha.png": png(Image.fromarray(np.ascontiguousarray(alpha[:, :, 2:4]), "LA")),
        "rgb-16-bit.png": raw_png(deep.reshape(height, width * 3), width, height, 16, 2, 3),
        "rgb-interlaced.png": raw_png(rgb, width, height, 8, 2, 3, interlaced=True),
    }, {
        # Pillow clips 16-bit grey to 255; the reference is the high byte.
        "grey-16-bit.png": (raw_png(deep[:, :, 0], width, height, 16, 0, 1), (deep[:, :, 0] >> 8).astype(np.uint8)),
    }, image, whole


def bad_files(image, whole):
    def saved(kind):
        out = io.BytesIO()
        image.save(out, kind)
        return out.getvalue()

    whole_png = png(image)
    progressive = jpeg(image, progressive=True)
    damaged = bytearray(whole_png)
    damaged[60] ^= 0x55
    stray = whole[:-300] + b"\xff\xd0" + whole[-300:-150]
    return {
        "truncated.jpg": (whole[: len(whole) // 2], "is truncated"),
        "no-end-marker.jpg": (whole[:-2], "is truncated"),
        "truncated-progressive.jpg": (progressive[: len(progressive) // 2], "is truncated"),
        "truncated-after-stray-bytes.jpg": (stray, "is truncated"),
        "header-only.jpg": (whole[:20], "truncated inside its header"),
        "truncated.png": (whole_png[: len(whole_png) // 2], "PNG is corrupt"),
        "damaged.png": (bytes(damaged), "PNG is corrupt"),
        "bomb.jpg": (claim(whole, 60000, 60000), "60000 x 60000 pixels"),
        "bomb.png": (claim(whole_png, 60000, 60000), "60000 x 60000 pixels"),
        "flat.png": (claim(whole_png, 10, 0), "10 x 0 pixels"),
        "image.gif": (saved("GIF"), "GIF"),
        "image.bmp": (saved("BMP")[:400], "BMP"),
        "image.tiff": (saved("TIFF")[:400], "TIFF"),
        "text.jpg": (b"<html>404</html>", "3C 68 74 6D"),
        "empty.jpg": (b"", "empty"),
    }


def write_files():
    good, by_hand, image, whole = good_files()
    entries = []

    def add(name, data, rgb, grey):
        (FOLDER / name).write_bytes(data)
        entries.append({
            "file": name, "width": rgb.shape[1], "height": rgb.shape[0],
            "rgb": base64_text(rgb), "grey": base64_text(grey)})

    for name, data in good.items():
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            add(name, data, np.asarray(opened.convert("RGB")), np.asarray(opened.convert("L")))
    for name, (data, grey) in by_hand.items():
        add(name, data, np.repeat(grey[:, :, None], 3, axis=2), grey)
    bad = []
    for name, (data, reason) in bad_files(image, whole).items():
        (FOLDER / name).write_bytes(data)
        bad.append({"file": name, "reason": reason})
    (FOLDER / "decoded.json").write_text(json.dumps({"good": entries, "bad": bad}, indent=1))


def write_resized():
    """Pillow's bilinear resize of patterns, by torchvision, with the horizontal pass first.

    Pillow 13 resizes some portrait images in the opposite order, which changes a fifth of their values by one level;
    older Pillows and torchvision's tensors do not. Two calls fix the order.
    """
    cases = []
    for width, height, channels, plane in [
        (97, 71, 3, 24), (50, 37, 3, 25), (11, 17, 3, 24), (24, 61, 3, 24), (61, 24, 3, 24), (300, 5, 3, 24),
        (1, 1, 3, 8), (2, 3, 3, 7), (13, 13, 3, 26), (24, 24, 3, 24), (97, 71, 1, 24), (9, 40, 1, 24),
    ]:
        pixels = pattern(width, height, channels)
        image = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
        resized = F.resize(F.resize(image, [height, plane], antialias=True), [plane, plane], antialias=True)
        cases.append({
            "width": width, "height": height, "channels": channels, "plane": plane,
            "resized": base64_text(np.asarray(resized))})
    (FOLDER / "resized.json").write_text(json.dumps(cases, indent=1))


def write_pipelines():
    """Complete torchvision transforms: float32, normalised, NHWC."""
    finish = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, DEVIATION)])
    cases = []

    def add(kind, source, extra, tensor):
        cases.append({
            "kind": kind, "width": source.width, "height": source.height, **extra,
            "values": base64_text(tensor.permute(1, 2, 0).numpy().astype("<f4"))})

    for width, height, resize, size in [(97, 71, 30, 24), (97, 71, 29, 24), (61, 40, 31, 24), (50, 50, 25, 24)]:
        source = Image.fromarray(pattern(width, height, 3))
        chain = v2.Compose([v2.Resize((resize, resize), antialias=True), v2.CenterCrop(size), finish])
        add("resizeCentre", source, {"resize": resize, "size": size}, chain(source))
    for top, left, flip in [(0, 0, False), (8, 8, True), (4, 4, False), (1, 6, True), (7, 0, False)]:
        source = Image.fromarray(pattern(16, 16, 3))
        # RandomCrop(16, padding=4) and RandomHorizontalFlip with fixed random numbers.
        view = F.crop(F.pad(source, [4, 4, 4, 4], fill=0), top, left, 16, 16)
        view = F.horizontal_flip(view) if flip else view
        add("padded", source, {"size": 16, "top": top, "left": left, "flip": flip}, finish(view))
    for top, left, flip in [(0, 0, True), (6, 3, True), (2, 6, False)]:
        source = Image.fromarray(pattern(53, 41, 3))
        view = F.crop(F.resize(source, [30, 30], antialias=True), top, left, 24, 24)
        view = F.horizontal_flip(view) if flip else view
        add("resizeCrop", source, {"resize": 30, "size": 24, "top": top, "left": left, "flip": flip}, finish(view))
    (FOLDER / "pipelines.json").write_text(json.dumps(cases, indent=1))


def write_partial():
    """JPEGs of many sizes and of every kind, for partial decoding in the Swift test."""
    chance = np.random.default_rng(5)
    files = []
    for index in range(4):
        for kind in ("444", "422", "420", "440", "411", "grey", "progressive", "progressive-444", "restarts", "cmyk", "ycck"):
            # One narrow or flat image among the four.
            width, height = (int(n) for n in chance.integers(1, (12, 90) if index == 0 else (120, 100), 2))
            noise = torch.from_numpy(chance.integers(0, 256, (4, height + 4, width + 4)).astype(np.uint8))
            pixels = F.gaussian_blur(noise, 5)[:, 2:-2, 2:-2].permute(1, 2, 0)
            pixels = (pixels.float() * 3 - 256).clamp(0, 255).to(torch.uint8).contiguous().numpy()
            image = Image.fromarray(np.ascontiguousarray(pixels[:, :, :3]))
            data = {
                "444": lambda: jpeg(image, subsampling=0),
                "422": lambda: jpeg(image, subsampling=1),
                "420": lambda: jpeg(image, subsampling=2),
                "440": lambda: turbo(pixels[:, :, :3], TURBO_RGB, TURBO_440),
                "411": lambda: turbo(pixels[:, :, :3], TURBO_RGB, TURBO_411),
                "grey": lambda: jpeg(image.convert("L")),
                "progressive": lambda: jpeg(image, progressive=True, subsampling=2),
                "progressive-444": lambda: jpeg(image, progressive=True, subsampling=0),
                "restarts": lambda: jpeg(image, restart_marker_blocks=3, subsampling=2),
                "cmyk": lambda: jpeg(Image.fromarray(pixels, "CMYK")),
                "ycck": lambda: turbo(pixels, TURBO_CMYK, TURBO_420),
            }[kind]()
            files.append({"name": f"{kind} {width} x {height}", "bytes": base64.b64encode(data).decode()})
    (FOLDER / "partial.json").write_text(json.dumps({"files": files}, indent=1))


def write_imagenet(shared, full):
    """For each image of the sample: channel means of the centre crop, and 64 of its pixels."""
    entries, crops = [], []
    with tarfile.open(shared / "imagenet-sample-200.tar") as archive:
        for index, member in enumerate(m for m in archive if m.isfile()):
            image = Image.open(archive.extractfile(member)).convert("RGB")
            view = F.center_crop(F.resize(image, [250, 250], antialias=True), [224, 224])
            pixels = np.asarray(view).reshape(-1, 3)
            places = [(index * 7919 + k * 104729 + 17) % len(pixels) for k in range(SAMPLES)]
            crops.append(pixels)
            entries.append({
                "name": member.name, "means": [round(float(v), 4) for v in pixels.mean(axis=0)],
                "samples": base64_text(pixels[places])})
    (FOLDER / "imagenet-sample.json").write_text(json.dumps(entries, indent=1))
    if full:
        full.write_bytes(np.stack(crops).tobytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=pathlib.Path, help="the folder of imagenet-sample-200.tar")
    parser.add_argument("--full", type=pathlib.Path, help="output file for all pixels of the sample's crops")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_files()
    write_resized()
    write_pipelines()
    write_partial()
    if options.shared:
        write_imagenet(options.shared, options.full)
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {Image.__version__}: {FOLDER}")
