"""Makes small WebP, TIFF, BMP and PNM files, and files of every orientation, with Pillow's pixels.

    python Tools/reference_formats.py

Needs Pillow 13.0.0 and NumPy. Writes Tests/OnePassDataTests/Fixtures/Formats/. What Pillow does not write is put together here
byte by byte. Where OnePass deviates from Pillow, or reads what Pillow does not, the pixels follow from the samples; "by" says so.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests/OnePassDataTests/Fixtures/Formats"
WIDTH, HEIGHT = 21, 14


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def pattern(width, height, channels):
    """Slopes, edges and fine texture."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    value = 7 * x + 11 * y + 40 * c + 9 * ((x * y + c * x) % 13) + 90 * ((x // 5 + y // 3) % 2)
    return (value % 256).astype(np.uint8)


RGB = pattern(WIDTH, HEIGHT, 3)
GREY = RGB[:, :, 0].copy()
ALPHA = pattern(WIDTH, HEIGHT, 4)
SMOOTH = np.asarray(Image.fromarray(pattern(8, 5, 3)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
DEEP = RGB.astype(np.uint16) * 257 // 3 + 700


def luma(rgb):
    """Pillow's L24."""
    r, g, b = (rgb[..., i].astype(np.uint32) for i in range(3))
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).astype(np.uint8)


def saved(array, kind, mode=None, **options):
    out = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array, mode)).save(out, kind, **options)
    return out.getvalue()


# ---- TIFF


def packed(samples, bits):
    """Rows of samples of 1 to 16 bits, each row filled up to whole bytes."""
    if bits == 16:
        return samples.astype("<u2").tobytes()
    if bits == 8:
        return samples.astype(np.uint8).tobytes()
    rows = samples.reshape(samples.shape[0], -1)
    digits = (rows[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(digits.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def tiff(parts, bits, photometric, samples, tags=(), compression=1, rows=None, tile=None, planar=1, order="<", big=False,
         width=WIDTH, height=HEIGHT):
    """A file of these strips or tiles. `tags` has (tag, type, values)."""
    sizes = {1: "B", 2: "B", 3: "H", 4: "L", 16: "Q"}
    entries = [(256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * samples), (259, 3, [compression]),
               (262, 3, [photometric]), (277, 3, [samples]), (284, 3, [planar]), *tags]
    entries = [entry for entry in entries if entry[2] is not None]
    head = 16 if big else 8
    offsets, body = [], b""
    for part in parts:
        offsets.append(head + len(body))
        body += part + b"\0" * (len(part) % 2)
    counts = [len(part) for part in parts]
    if tile:
        entries += [(322, 4, [tile[0]]), (323, 4, [tile[1]]), (324, 4, offsets), (325, 4, counts)]
    else:
        entries += [(278, 4, [rows or height]), (273, 4, offsets), (279, 4, counts)]
    entries.sort(key=lambda entry: entry[0])
    start = head + len(body)
    inline, entry_size = (8, 20) if big else (4, 12)
    place = start + (8 if big else 2) + entry_size * len(entries) + inline
    directory, data = b"", b""
    for tag, kind, values in entries:
        value = bytes(values) if kind == 2 else struct.pack(f"{order}{len(values)}{sizes[kind]}", *values)
        count = len(values)
        if len(value) <= inline:
            value = value.ljust(inline, b"\0")
        else:
            data += b"\0" * ((place + len(data)) % 2)
            value, data = struct.pack(order + ("Q" if big else "L"), place + len(data)), data + value
        directory += struct.pack(order + ("HHQ" if big else "HHL"), tag, kind, count) + value
    magic = b"II" if order == "<" else b"MM"
    header = magic + (struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HL", 42, start))
    count = struct.pack(order + ("Q" if big else "H"), len(entries))
    return header + body + count + directory + b"\0" * inline + data


def strips(samples, bits, rows, compress=lambda data: data):
    return [compress(packed(samples[first:first + rows], bits)) for first in range(0, len(samples), rows)]


def tiles(samples, bits, width, height):
    """Tiles that are filled up with the last pixels."""
    rows, columns = -len(samples) % height, -samples.shape[1] % width
    full = np.pad(samples, ((0, rows), (0, columns), (0, 0)), mode="edge")
    return [packed(full[y:y + height, x:x + width], bits)
            for y in range(0, len(full), height) for x in range(0, full.shape[1], width)]


def jpeg_stream(array, **options):
    return saved(array, "JPEG", **{"quality": 92, **options})


def colour_map(colours):
    return [(320, 3, [int(v) * 257 for v in np.asarray(colours).T.reshape(-1)])]


def tiff_files():
    grey = GREY[:, :, None]
    palette = pattern(256, 1, 3)[0]
    ycc = np.asarray(Image.fromarray(SMOOTH).convert("YCbCr"))
    files = {
        "rgb.tiff": saved(RGB, "TIFF"),
        "grey.tiff": saved(GREY, "TIFF"),
        "one-bit.tiff": saved(Image.fromarray(GREY > 127), "TIFF"),
        "palette.tiff": saved(Image.fromarray(SMOOTH).quantize(50), "TIFF"),
        "cmyk.tiff": saved(ALPHA, "TIFF", "CMYK"),
        "rgba.tiff": saved(ALPHA, "TIFF", "RGBA"),
        "lzw.tiff": saved(RGB, "TIFF", compression="tiff_lzw"),
        "deflate.tiff": saved(RGB, "TIFF", compression="tiff_adobe_deflate"),
        "packbits.tiff": saved(GREY // 64 * 64, "TIFF", compression="packbits"),
        "zstd.tiff": saved(RGB, "TIFF", compression="zstd"),
        "lzma.tiff": saved(RGB, "TIFF", compression="lzma"),
        "group3.tiff": saved(Image.fromarray(GREY > 127), "TIFF", compression="group3"),
        "group4.tiff": saved(Image.fromarray(GREY > 127), "TIFF", compression="group4"),
        "jpeg.tiff": saved(SMOOTH, "TIFF", compression="jpeg"),
        "jpeg-grey.tiff": saved(SMOOTH[:, :, 0].copy(), "TIFF", compression="jpeg"),
        "jpeg-420.tiff": tiff([jpeg_stream(SMOOTH, subsampling=2)], 8, 6, 3, [(530, 3, [2, 2])], compression=7),
        "strips.tiff": tiff(strips(RGB, 8, 4), 8, 2, 3, rows=4),
        "big-endian.tiff": tiff(strips(RGB, 8, 4), 8, 2, 3, rows=4, order=">"),
        "big.tiff": tiff(strips(RGB, 8, 5), 8, 2, 3, rows=5, big=True),
        "tiles.tiff": tiff(tiles(RGB, 8, 16, 16), 8, 2, 3, tile=(16, 16)),
        "tiles-palette.tiff": tiff(tiles(grey, 8, 16, 16), 8, 3, 1, colour_map(palette), tile=(16, 16)),
        "planes.tiff": tiff([part for c in range(3) for part in strips(RGB[:, :, c:c + 1], 8, 5)], 8, 2, 3, rows=5, planar=2),
        "planes-cmyk.tiff": tiff([packed(ALPHA[:, :, c:c + 1], 8) for c in range(4)], 8, 5, 4, planar=2),
        "planes-tiles.tiff": tiff(
            [part for c in range(3) for part in tiles(RGB[:, :, c:c + 1], 8, 16, 16)], 8, 2, 3, tile=(16, 16), planar=2),
        "white-is-zero.tiff": tiff(strips(grey, 8, 3), 8, 0, 1, rows=3),
        "grey-extra.tiff": tiff(strips(ALPHA[:, :, :2], 8, 14), 8, 1, 2, [(338, 3, [0])]),
        "grey-alpha.tiff": tiff(strips(ALPHA[:, :, :2], 8, 14), 8, 1, 2, [(338, 3, [2])]),
        "rgb-extra.tiff": tiff(strips(ALPHA, 8, 14), 8, 2, 4, [(338, 3, [0])]),
        "rgb-two-extra.tiff": tiff(strips(pattern(WIDTH, HEIGHT, 5), 8, 14), 8, 2, 5, [(338, 3, [0, 0])]),
        "rgb-premultiplied.tiff": tiff(strips(ALPHA, 8, 14), 8, 2, 4, [(338, 3, [1])]),
        "rgb-no-extra-tag.tiff": tiff(strips(ALPHA, 8, 14), 8, 2, 4),
        "rgb-16-bit.tiff": tiff(strips(DEEP, 16, 14), 16, 2, 3),
        "rgb-16-bit-alpha.tiff": tiff(strips(pattern(WIDTH, HEIGHT, 4).astype(np.uint16) * 201, 16, 14), 16, 2, 4, [(338, 3, [2])]),
        "cmyk-16-bit.tiff": tiff(strips(ALPHA.astype(np.uint16) * 257 - ALPHA, 16, 14), 16, 5, 4),
        "ycbcr.tiff": tiff(strips(ycc, 8, 14), 8, 6, 3, [(530, 3, [1, 1])]),
        "fill-order.tiff": tiff(
            [np.packbits(np.unpackbits(np.frombuffer(part, np.uint8)).reshape(-1, 8)[:, ::-1].reshape(-1)).tobytes()
             for part in strips(GREY[:, :, None] // 128, 1, 14)], 1, 1, 1, [(266, 3, [2])]),
        "no-photometric.tiff": tiff(strips(grey, 8, 14), 8, 0, 1),
    }
    for bits in (1, 2, 4):
        part = grey >> (8 - bits)
        files[f"grey-{bits}-bit.tiff"] = tiff(strips(part, bits, 4), bits, 1, 1, rows=4)
        files[f"white-is-zero-{bits}-bit.tiff"] = tiff(strips(part, bits, 14), bits, 0, 1)
        files[f"palette-{bits}-bit.tiff"] = tiff(strips(part, bits, 14), bits, 3, 1, colour_map(palette[:1 << bits]))
    subsampled = b""
    chroma = ycc[::2, :20:2, 1:]
    for row in range(0, HEIGHT, 2):
        for column in range(0, WIDTH + 1, 2):
            block = np.pad(ycc[row:row + 2, column:column + 2, 0], ((0, 0), (0, 2)), mode="edge")[:, :2]
            subsampled += block.tobytes() + chroma[row // 2, min(column // 2, 9)].tobytes()
    files["ycbcr-deflate-420.tiff"] = tiff([zlib.compress(subsampled)], 8, 6, 3, [(530, 3, [2, 2])], compression=8)
    high, inverted = (DEEP[:, :, 0] >> 8).astype(np.uint8), 255 - (DEEP[:, :, 0] >> 8).astype(np.uint8)
    planes16 = [packed(DEEP[:, :, c:c + 1], 16) for c in range(3)]
    by_hand = {
        "grey-16-bit.tiff": (tiff(strips(DEEP[:, :, :1], 16, 14), 16, 1, 1), high),
        "grey-16-bit-big-endian.tiff": (
            tiff([DEEP[:, :, :1].astype(">u2").tobytes()], 16, 1, 1, order=">"), high),
        "white-is-zero-16-bit.tiff": (tiff(strips(DEEP[:, :, :1], 16, 14), 16, 0, 1), inverted),
        "planes-16-bit.tiff": (tiff(planes16, 16, 2, 3, planar=2), (DEEP >> 8).astype(np.uint8)),
    }
    # Uncompressed, Pillow takes subsampled chroma for whole; libtiff reads it right.
    TiffImagePlugin.READ_LIBTIFF = True
    halves = tiff([subsampled], 8, 6, 3, [(530, 3, [2, 2])])
    with Image.open(io.BytesIO(halves)) as image:
        by_hand["ycbcr-420.tiff"] = (halves, np.asarray(image.convert("RGB")))
    TiffImagePlugin.READ_LIBTIFF = False
    return files, by_hand


# ---- BMP


def bmp(rows, bits, header=40, compression=0, masks=(), palette=b"", height=HEIGHT, width=WIDTH, colours=0, offset=None):
    """Rows in the order of the file."""
    if header == 12:
        info = struct.pack("<LHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<LLlHHLLLLLL", header, width, height, 1, bits, compression, len(rows), 2835, 2835, colours, 0)
        info += struct.pack(f"<{len(masks)}L", *masks)
        info = info.ljust(header, b"\0") if header > 40 else info
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<LHHL", start + len(rows), 0, 0, start if offset is None else offset) + info + palette + rows


def bmp_rows(data, upside_down=True):
    """Bytes of rows, filled up to four bytes."""
    data = np.pad(data, ((0, 0), (0, -data.shape[1] % 4)))
    return (data[::-1] if upside_down else data).tobytes()


def bmp_palette(colours, entry=4):
    return b"".join(bytes([b, g, r] + [0] * (entry - 3)) for r, g, b in colours)


def runs(indices, is_half):
    """Run-length encoding with runs, literal pixels and a skip."""
    out = bytearray()
    for number, row in enumerate(indices[::-1]):
        at = 0
        while at < len(row):
            length = 1
            while at + length < len(row) and row[at + length] == row[at] and length < 255:
                length += 1
            if length > 1 or len(row) - at < 3 or number % 3 == 2:
                value = row[at] << 4 | row[at] if is_half else row[at]
                out += bytes([length, value])
            elif number == 4 and at + 6 <= len(row) and not row[at:at + 3].any():
                length = 3
                out += bytes([0, 2, 3, 0])
            else:
                length = min(len(row) - at, 7)
                part = list(row[at:at + length])
                if is_half:
                    part += [0] * (len(part) % 2)
                    part = [a << 4 | b for a, b in zip(part[::2], part[1::2])]
                out += bytes([0, length]) + bytes(part) + b"\0" * (len(part) % 2)
            at += length
        out += b"\0\0" if number + 1 < len(indices) else b"\0\1"
    return bytes(out)


def bmp_files():
    bgr = RGB[:, :, ::-1].reshape(HEIGHT, -1)
    colours = pattern(256, 1, 3)[0]
    five = RGB.astype(np.uint16) >> 3
    fifteen = (five[:, :, 0] << 10 | five[:, :, 1] << 5 | five[:, :, 2]).astype("<u2")
    sixteen = (five[:, :, 0] << 11 | (RGB[:, :, 1].astype(np.uint16) >> 2) << 5 | five[:, :, 2]).astype("<u2")
    words = lambda array: bmp_rows(array.view(np.uint8).reshape(HEIGHT, -1))
    four = np.concatenate([RGB[:, :, ::-1], GREY[:, :, None]], axis=2).reshape(HEIGHT, -1)
    rgba = np.concatenate([RGB, GREY[:, :, None]], axis=2).reshape(HEIGHT, -1)
    xbgr = np.concatenate([GREY[:, :, None], RGB[:, :, ::-1]], axis=2).reshape(HEIGHT, -1)
    few = GREY // 16
    skipped = few.copy()
    skipped[::2, 5:12] = 0
    pack = lambda part, bits: np.frombuffer(packed(part[:, :, None], bits), np.uint8).reshape(HEIGHT, -1)
    files = {
        "rgb.bmp": saved(RGB, "BMP"),
        "grey.bmp": saved(GREY, "BMP"),
        "one-bit.bmp": saved(Image.fromarray(GREY > 127), "BMP"),
        "palette.bmp": saved(Image.fromarray(SMOOTH).quantize(40), "BMP"),
        "rgba.bmp": saved(ALPHA, "BMP", "RGBA"),
        "top-down.bmp": bmp(bmp_rows(bgr, False), 24, height=-HEIGHT),
        "one-bit-palette.bmp": bmp(bmp_rows(pack(GREY // 128, 1)), 1, palette=bmp_palette(colours[:2]), colours=2),
        "four-bit.bmp": bmp(bmp_rows(pack(few, 4)), 4, palette=bmp_palette(colours[:16])),
        "few-colours.bmp": bmp(bmp_rows(GREY), 8, palette=bmp_palette(colours[:100]), colours=100),
        "os2.bmp": bmp(bmp_rows(bgr), 24, header=12),
        "os2-palette.bmp": bmp(bmp_rows(GREY), 8, header=12, palette=bmp_palette(colours, 3)),
        "os2-four-bit.bmp": bmp(bmp_rows(pack(few, 4)), 4, header=12, palette=bmp_palette(colours[:16], 3)),
        "os2-version-2.bmp": bmp(bmp_rows(bgr), 24, header=64),
        "fifteen-bit.bmp": bmp(words(fifteen), 16),
        "fifteen-bit-fields.bmp": bmp(words(fifteen), 16, compression=3, masks=(0x7C00, 0x3E0, 0x1F)),
        "sixteen-bit-fields.bmp": bmp(words(sixteen), 16, compression=3, masks=(0xF800, 0x7E0, 0x1F)),
        "32-bit.bmp": bmp(bmp_rows(four), 32),
        "32-bit-fields.bmp": bmp(bmp_rows(four), 32, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)),
        "version-4.bmp": bmp(bmp_rows(rgba), 32, header=108, compression=3, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
        "version-3.bmp": bmp(bmp_rows(four), 32, header=56, compression=3, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        "version-5.bmp": bmp(bmp_rows(xbgr), 32, header=124, compression=3, masks=(0xFF000000, 0xFF0000, 0xFF00, 0)),
        "runs.bmp": bmp(runs(GREY // 8 * 8, False), 8, compression=1, palette=bmp_palette(colours)),
        "half-runs.bmp": bmp(runs(few, True), 4, compression=2, palette=bmp_palette(colours[:16])),
        "skips.bmp": bmp(runs(skipped, False), 8, compression=1, palette=bmp_palette(colours[:16]), colours=16),
        "no-offset.bmp": bmp(bmp_rows(bgr), 24, offset=0),
        "offset-before-palette.bmp": bmp(bmp_rows(GREY), 8, palette=bmp_palette(colours), offset=54),
    }
    two = GREY // 64
    empty_rows = b"\0\0" * 3 + bytes([WIDTH, 5]) + b"\0\0" + b"\0\1"
    rest = np.zeros((HEIGHT, WIDTH), np.uint8)
    rest[HEIGHT - 4] = 5
    masks = (0x3FF00000, 0xFFC00, 0x3FF)
    tens = (RGB.astype("<u4") * 4 + 1)
    ten = (tens[:, :, 0] << 20 | tens[:, :, 1] << 10 | tens[:, :, 2]).astype("<u4")
    return files, {
        "two-bit.bmp": (bmp(bmp_rows(pack(two, 2)), 2, palette=bmp_palette(colours[:4])), colours[two]),
        # Rows of which nothing is stored, and an end before the last row.
        "empty-rows.bmp": (bmp(empty_rows, 8, compression=1, palette=bmp_palette(colours)), colours[rest]),
        "ten-bit-fields.bmp": (bmp(words(ten), 32, compression=3, masks=masks), (tens * 255 // 1023).astype(np.uint8)),
    }


# ---- PNM


def pnm_files():
    digits = lambda array: b"\n".join(b" ".join(b"%d" % v for v in row.reshape(-1)) for row in array)
    head = lambda kind, most=None: b"P%d\n%d %d\n" % (kind, WIDTH, HEIGHT) + (b"%d\n" % most if most else b"")
    small = RGB % 101
    files = {
        "rgb.ppm": saved(RGB, "PPM"),
        "grey.pgm": saved(GREY, "PPM"),
        "bits.pbm": saved(Image.fromarray(GREY > 127), "PPM"),
        "text.ppm": head(3, 255) + digits(RGB) + b"\n",
        "text.pgm": head(2, 255) + digits(GREY),
        "text.pbm": head(1) + digits((GREY > 127).astype(int)),
        "text-without-spaces.pbm": head(1) + digits((GREY > 127).astype(int)).replace(b" ", b""),
        "comments.ppm": b"P6 # a comment\n#another\n%d\t%d # one more\r255\n" % (WIDTH, HEIGHT) + RGB.tobytes(),
        "comments-text.pgm": head(2, 255) + digits(GREY).replace(b"\n", b" # a row\n"),
        "largest-100.ppm": head(6, 100) + small.tobytes(),
        "largest-100.pgm": head(5, 100) + small[:, :, 0].tobytes(),
        "above-largest.pgm": head(5, 100) + GREY.tobytes(),
        "largest-7-text.ppm": head(3, 7) + digits(RGB % 8),
        "16-bit.ppm": head(6, 65535) + DEEP.astype(">u2").tobytes(),
        "12-bit.ppm": head(6, 4095) + (DEEP % 4096).astype(">u2").tobytes(),
        "12-bit-text.ppm": head(3, 4095) + digits(DEEP % 4096),
        "trailing-bytes.ppm": head(6, 255) + RGB.tobytes() + b"more",
    }
    grey = DEEP[:, :, 0]
    scaled = lambda array, most: np.round(array / most * 255).astype(np.uint8)
    return files, {
        "16-bit.pgm": (head(5, 65535) + grey.astype(">u2").tobytes(), scaled(grey, 65535)),
        "12-bit.pgm": (head(5, 4095) + (grey % 4096).astype(">u2").tobytes(), scaled(grey % 4096, 4095)),
        "1000-text.pgm": (head(2, 1000) + digits(grey % 1001), scaled(grey % 1001, 1000)),
    }


# ---- WebP


def chunk(name, data):
    return name + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2)


def riff(*chunks):
    data = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<L", len(data)) + data


def number24(value):
    return struct.pack("<L", value)[:3]


def animation(frame, x, y, width, height):
    """A frame within a canvas, and a second one over it."""
    bitstream = lambda array: saved(array, "WEBP", lossless=True)[12:]
    anmf = lambda array, left, top: chunk(
        b"ANMF", number24(left // 2) + number24(top // 2) + number24(array.shape[1] - 1) + number24(array.shape[0] - 1)
        + number24(100) + b"\0" + bitstream(array))
    return riff(
        chunk(b"VP8X", b"\x02\0\0\0" + number24(width - 1) + number24(height - 1)),
        chunk(b"ANIM", b"\xff\xff\xff\xff\0\0"), anmf(frame, x, y), anmf(255 - frame, 0, 0))


def webp_files():
    return {
        "lossy.webp": saved(SMOOTH, "WEBP", quality=80),
        "lossy-alpha.webp": saved(ALPHA, "WEBP", "RGBA", quality=80, exact=True),
        "lossless.webp": saved(RGB, "WEBP", lossless=True),
        "lossless-alpha.webp": saved(ALPHA, "WEBP", "RGBA", lossless=True, exact=True),
        "one-colour.webp": saved(np.full((HEIGHT, WIDTH, 3), 77, np.uint8), "WEBP", lossless=True),
        "animated.webp": saved(
            Image.fromarray(SMOOTH), "WEBP", save_all=True, append_images=[Image.fromarray(255 - SMOOTH)], duration=50),
        "animated-within.webp": animation(RGB[:9, :12], 4, 2, WIDTH, HEIGHT),
        "trailing-bytes.webp": saved(SMOOTH, "WEBP", quality=80) + b"more",
    }, {}


# ---- Orientations


def exif(orientation, order="<"):
    magic = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + "HHLHH", 0x112, 3, 1, orientation, 0)
    return magic + struct.pack(order + "LH", 8, 1) + value + b"\0\0\0\0"


def xmp(orientation, is_element=False):
    tag = (f"><tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description>" if is_element
           else f' tiff:Orientation="{orientation}"/>')
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:tiff="t"' + tag + "</x:xmpmeta>").encode()


def segment(data):
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def jpeg_with(*segments):
    data = jpeg_stream(SMOOTH)
    return data[:2] + b"".join(segment(part) for part in segments) + data[2:]


def png_with(*chunks, at_end=False):
    data = saved(RGB, "PNG")
    extra = b"".join(struct.pack(">L", len(d)) + n + d + struct.pack(">L", zlib.crc32(n + d)) for n, d in chunks)
    return data[:-12] + extra + data[-12:] if at_end else data[:33] + extra + data[33:]


def webp_with(flags, *chunks):
    still = saved(SMOOTH, "WEBP", quality=80)[12:]
    size = number24(WIDTH - 1) + number24(HEIGHT - 1)
    return riff(chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size), still, *[chunk(n, d) for n, d in chunks])


def orientation_files():
    head, space = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
    no_tag = b"II*\0" + struct.pack("<LHHHLHHL", 8, 1, 0x100, 3, 1, 5, 0, 0)
    text_chunk = lambda data: (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + data)
    files = {}
    for value in range(1, 9):
        files[f"jpeg-{value}.jpg"] = jpeg_with(head + exif(value))
        files[f"png-{value}.png"] = png_with((b"eXIf", exif(value)))
        files[f"webp-{value}.webp"] = webp_with(8, (b"EXIF", exif(value)))
        files[f"tiff-{value}.tiff"] = tiff(strips(RGB, 8, 4), 8, 2, 3, [(274, 3, [value])], rows=4)
    return files | {
        "big-endian-6.jpg": jpeg_with(head + exif(6, ">")),
        "xmp-6.jpg": jpeg_with(space + xmp(6)),
        "xmp-element-8.jpg": jpeg_with(space + xmp(8, True)),
        "no-tag-xmp-3.jpg": jpeg_with(head + no_tag, space + xmp(3)),
        "exif-1-xmp-6.jpg": jpeg_with(space + xmp(6), head + exif(1)),
        "exif-9-xmp-6.jpg": jpeg_with(head + exif(9), space + xmp(6)),
        "two-xmp-8.jpg": jpeg_with(space + xmp(6), space + xmp(8)),
        "long-6.jpg": jpeg_with(head + b"II*\0" + struct.pack("<LHHHLLL", 8, 1, 0x112, 4, 1, 6, 0)),
        "two-values.jpg": jpeg_with(head + b"II*\0" + struct.pack("<LHHHLHHL", 8, 1, 0x112, 3, 2, 6, 6, 0)),
        "at-end-6.png": png_with((b"eXIf", exif(6)), at_end=True),
        "xmp-6.png": png_with(text_chunk(xmp(6))),
        "xmp-8.webp": webp_with(4, (b"XMP ", xmp(8))),
        "head-6.webp": webp_with(8, (b"EXIF", head + exif(6))),
        "xmp-6.tiff": tiff(strips(RGB, 8, 4), 8, 2, 3, [(700, 1, list(xmp(6)))], rows=4),
        "planes-5.tiff": tiff([packed(RGB[:, :, c:c + 1], 8) for c in range(3)], 8, 2, 3, [(274, 3, [5])], planar=2),
        "jpeg-420-6.tiff": tiff(
            [jpeg_stream(SMOOTH, subsampling=2)], 8, 6, 3, [(274, 3, [6]), (530, 3, [2, 2])], compression=7),
    }


# ---- What is refused


def bad_files():
    grey, lab = GREY[:, :, None], RGB
    whole = {name: data for name, data in [
        ("webp", saved(SMOOTH, "WEBP")), ("bmp", saved(RGB, "BMP")), ("ppm", saved(RGB, "PPM"))]}
    return {
        "float.tiff": (saved(GREY.astype(np.float32), "TIFF"), "floating-point samples"),
        "signed.tiff": (tiff(strips(grey, 8, 14), 8, 1, 1, [(339, 3, [2])]), "not unsigned integers"),
        "32-bit.tiff": (tiff([grey.astype("<u4").tobytes()], 32, 1, 1), "1 samples of 32 bits"),
        "lab.tiff": (tiff(strips(lab, 8, 14), 8, 8, 3), "CIE L*a*b*"),
        "bomb.tiff": (tiff(strips(RGB, 8, 14), 8, 2, 3, width=60000, height=60000), "has 60000 x 60000 pixels"),
        "no-directory.tiff": (b"II*\0\x08\0\0\0", "no directory"),
        "no-codec.tiff": (tiff(strips(RGB, 8, 14), 8, 2, 3, compression=34712), "TIFF is corrupt"),
        "other-size.bmp": (bmp(b"", 24, header=40)[:14] + struct.pack("<L", 41) + whole["bmp"][18:], "header of 41 bytes"),
        "jpeg.bmp": (bmp(b"\xff\xd8", 24, compression=4), "compression 4"),
        "bomb.bmp": (bmp(b"", 24, width=60000, height=60000), "has 60000 x 60000 pixels"),
        "three-bit.bmp": (bmp(b"", 3), "3 bits per pixel"),
        "truncated.bmp": (whole["bmp"][:-80], "truncated"),
        "truncated-runs.bmp": (bmp(runs(GREY, False)[:100], 8, compression=1, palette=b"\0" * 1024), "truncated"),
        "truncated.ppm": (whole["ppm"][:-1], "truncated"),
        "truncated-text.pgm": (b"P2 3 2 255\n1 2 3 4 5", "truncated"),
        "too-large.pgm": (b"P2 3 2 255\n1 2 3 4 5 256", "value 256"),
        "bomb.pgm": (b"P5 60000 60000 255\n", "has 60000 x 60000 pixels"),
        "largest.pgm": (b"P5 3 2 65536\n123456", "maximum value 65536"),
        "word.pgm": (b"P5 3 two 255\n123456", "in a number"),
        "truncated.webp": (whole["webp"][:-30], "truncated"),
        "bomb.webp": (riff(chunk(b"VP8X", b"\0\0\0\0" + number24(59999) + number24(59999)), whole["webp"][12:]),
                      "has 60000 x 60000 pixels"),
        "damaged.webp": (whole["webp"][:23] + b"\0" + whole["webp"][24:], "WebP is corrupt"),
    }


def write():
    good, turned = [], []

    def entry(name, data, rgb, grey, by):
        (FOLDER / name).write_bytes(data)
        return {"file": name, "width": rgb.shape[1], "height": rgb.shape[0], "rgb": text(rgb), "grey": text(grey), "by": by}

    for files, by_hand in (tiff_files(), bmp_files(), pnm_files(), webp_files()):
        for name, data in files.items():
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                good.append(entry(name, data, np.asarray(image.convert("RGB")), np.asarray(image.convert("L")), "Pillow"))
        for name, (data, pixels) in by_hand.items():
            rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
            good.append(entry(name, data, rgb, luma(rgb), "samples"))
    for name, data in orientation_files().items():
        with Image.open(io.BytesIO(data)) as image:
            stored = image.getexif().get(0x112, 1) if not name.endswith("tiff") else 1
            image.load()
            upright = ImageOps.exif_transpose(image)
            turned.append(entry(
                name, data, np.asarray(upright.convert("RGB")), np.asarray(upright.convert("L")), "Pillow") | {
                    "orientation": stored if stored in range(1, 9) else 1, "stored": text(np.asarray(image.convert("RGB")))})
    bad = []
    for name, (data, reason) in bad_files().items():
        (FOLDER / name).write_bytes(data)
        bad.append({"file": name, "reason": reason})
    (FOLDER / "formats.json").write_text(json.dumps({"good": good, "turned": turned, "bad": bad}, indent=1))
    print(f"Pillow {Image.__version__}: {len(good)} files, {len(turned)} turned, {len(bad)} bad in {FOLDER}")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write()
