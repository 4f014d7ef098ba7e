"""Writes small Parquet files of many encodings, compressions and layouts, and the values that pyarrow reads from them.

    python Tools/reference_parquet_variants.py

Requires pyarrow and pillow. Writes to Tests/OnePassDataTests/Fixtures/parquet-variants/:
- values-*.parquet: columns of every readable type, in encodings and compressions of the file's name,
- lz4-*.parquet and unreadable-*.parquet: pages that pyarrow does not write, by the small writer below,
- others: layouts of columns, labels and paths,
- expected.json: the values of each column of each file, as pyarrow reads them. Bytes are hexadecimal digits.
"""

import base64
import io
import json
import pathlib
import random
import shutil
import struct

import pyarrow
import pyarrow.parquet
import pyarrow.parquet.encryption
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "Tests/OnePassDataTests/Fixtures/parquet-variants"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
chance = random.Random(2)
PICTURE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def png(number):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (number * 20 % 256, 5, 7)).save(buffer, "PNG")
    return buffer.getvalue()


def write(name, columns, features=None, **options):
    table = pyarrow.table(columns)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pyarrow.parquet.write_table(table, OUT / f"{name}.parquet", **options)


def classes(*names):
    return {"_type": "ClassLabel", "names": list(names)}


# ------------------------------------------------------------------ values

COUNT = 70
bodies = [[b"", b"ab" * (n % 30), chance.randbytes(40), f"photo-{n:04}".encode()][n % 4] for n in range(COUNT)]
wide = [chance.randrange(-(2**63), 2**63) if n % 5 else n for n in range(COUNT)]


def values(missing):
    """Columns of COUNT values, of which some are missing."""

    def column(values, kind):
        return pyarrow.array([None if missing and chance.random() < 0.25 else v for v in values], kind)

    return {
        "plain": column(bodies, pyarrow.binary()), "lengths": column(bodies, pyarrow.binary()),
        "prefixes": column(sorted(bodies), pyarrow.binary()),
        "fixed": column([chance.randbytes(5) for _ in range(COUNT)], pyarrow.binary(5)),
        "fixed_split": column([chance.randbytes(3) for _ in range(COUNT)], pyarrow.binary(3)),
        "fixed_prefixes": column([f"{n // 7:06}".encode() for n in range(COUNT)], pyarrow.binary(6)),
        "int8": column([n % 256 - 128 for n in range(COUNT)], pyarrow.int8()),
        "uint8": column([n * 7 % 256 for n in range(COUNT)], pyarrow.uint8()),
        "int16": column([n * 217 - 16000 for n in range(COUNT)], pyarrow.int16()),
        "uint16": column([n * 436 for n in range(COUNT)], pyarrow.uint16()),
        "int32": column([chance.randrange(-(2**31), 2**31) for _ in range(COUNT)], pyarrow.int32()),
        "uint32": column([chance.randrange(2**32) for _ in range(COUNT)], pyarrow.uint32()),
        "int64": column(wide, pyarrow.int64()),
        "uint64": column([n * 2**56 for n in range(COUNT - 1)] + [2**64 - 1], pyarrow.uint64()),
        "boolean": column([chance.random() < 0.5 for _ in range(COUNT)], pyarrow.bool_()),
        "boolean_runs": column([n % 30 < 17 for n in range(COUNT)], pyarrow.bool_()),
    }


NUMBERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DELTA = {
    **dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"), "plain": "PLAIN", "lengths": "DELTA_LENGTH_BYTE_ARRAY",
    "prefixes": "DELTA_BYTE_ARRAY", "fixed": "PLAIN", "fixed_split": "BYTE_STREAM_SPLIT",
    "fixed_prefixes": "DELTA_BYTE_ARRAY", "boolean": "PLAIN", "boolean_runs": "RLE",
}
SPLIT = {**DELTA, **dict.fromkeys(NUMBERS, "BYTE_STREAM_SPLIT"), "lengths": "PLAIN"}
small = dict(data_page_size=400, write_batch_size=11)
for name, missing, options in [
    ("delta", False, dict(use_dictionary=False, column_encoding=DELTA, compression="none")),
    ("delta-missing", True, dict(use_dictionary=False, column_encoding=DELTA, compression="zstd", row_group_size=40)),
    ("delta-pages", True, dict(use_dictionary=False, column_encoding=DELTA, compression="snappy", data_page_version="2.0", **small)),
    ("split", True, dict(use_dictionary=False, column_encoding=SPLIT, compression="gzip", **small)),
    ("split-whole", False, dict(use_dictionary=False, column_encoding=SPLIT, compression="brotli", data_page_version="2.0")),
    ("dictionary", True, dict(compression="lz4", dictionary_pagesize_limit=300, **small)),
    ("brotli", True, dict(compression="brotli", row_group_size=33)),
    ("lz4", False, dict(compression="lz4", use_dictionary=False, data_page_version="2.0", **small)),
]:
    write(f"values-{name}", values(missing), **options)

# ------------------------------------------------------------------ a small writer


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


class Long(int):
    """An integer of 64 bits; others have 32."""


def thrift(value):
    """A value in the compact protocol: an integer, bytes, a list, or a dict of fields. Returns its type and bytes."""
    if isinstance(value, int):
        return 6 if isinstance(value, Long) else 5, varint(value << 1 ^ value >> 63)
    if isinstance(value, bytes):
        return 8, varint(len(value)) + value
    if isinstance(value, list):
        items = [thrift(item) for item in value]
        kind = items[0][0] if items else 6
        head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
        return 9, head + b"".join(item for _, item in items)
    out, last = b"", 0
    for field in sorted(value):
        kind, body = thrift(value[field])
        out += bytes([field - last << 4 | kind]) + body
        last = field
    return 12, out + b"\0"


def file_of_pages(path, images, labels, codec, compress, per_page, encoding=0):
    """Writes required columns image and label, in pages of `per_page` plain values."""
    data, chunks = b"PAR1", []
    for name, kind, values in [("image", 6, images), ("label", 2, labels)]:
        start, plain = len(data), 0
        for first in range(0, len(values), per_page):
            page = values[first:first + per_page]
            body = b"".join(struct.pack("<I", len(v)) + v if kind == 6 else struct.pack("<q", v) for v in page)
            packed = compress(body)
            header = thrift({1: 0, 2: len(body), 3: len(packed), 5: {1: len(page), 2: encoding, 3: 3, 4: 3}})[1]
            data += header + packed
            plain += len(header) + len(body)
        chunks.append({2: Long(start), 3: {
            1: kind, 2: [encoding, 3], 3: [name.encode()], 4: codec, 5: Long(len(values)), 6: Long(plain),
            7: Long(len(data) - start), 9: Long(start)}})
    schema = [{4: b"schema", 5: 2}, {1: 6, 3: 0, 4: b"image"}, {1: 2, 3: 0, 4: b"label"}]
    groups = [{1: chunks, 2: Long(len(data)), 3: Long(len(images))}]
    footer = thrift({1: 1, 2: schema, 3: Long(len(images)), 4: groups, 6: b"reference_parquet_variants"})[1]
    (OUT / f"{path}.parquet").write_bytes(data + footer + struct.pack("<I", len(footer)) + b"PAR1")


def block(body):
    return pyarrow.Codec("lz4_raw").compress(body, asbytes=True)


def frame(body, *blocks):
    packed = [block(part) for part in blocks or [body]]
    return struct.pack(">I", len(body)) + b"".join(struct.pack(">I", len(p)) + p for p in packed)


def halves(body):
    return body[: len(body) // 2], body[len(body) // 2:]


lz4_images, lz4_labels = [b"x" * n + chance.randbytes(9) for n in range(40)], [n * n for n in range(40)]
lz4 = (lz4_images, lz4_labels, 5)
file_of_pages("lz4-frame", *lz4, frame, 16)
file_of_pages("lz4-frames", *lz4, lambda body: b"".join(frame(part) for part in halves(body)), 16)
# As Hadoop writes large pages; pyarrow does not read it.
file_of_pages("lz4-blocks", *lz4, lambda body: frame(body, *halves(body)), 16)
# As parquet-cpp wrote it before version 2.0.
file_of_pages("lz4-bare", *lz4, block, 16)
file_of_pages("unreadable-lzo", *lz4[:2], 3, lambda body: body, 16)
file_of_pages("unreadable-encoding", *lz4[:2], 0, lambda body: body, 16, encoding=4)
file_of_pages("unreadable-codec", *lz4[:2], 9, lambda body: body, 16)


class Keys(pyarrow.parquet.encryption.KmsClient):
    """Keys that are not kept secret."""

    def wrap_key(self, key, name):
        return base64.b64encode(key)

    def unwrap_key(self, key, name):
        return base64.b64decode(key)


few = {"image": pyarrow.array([png(n) for n in range(8)]), "label": pyarrow.array([n % 2 for n in range(8)])}
factory = pyarrow.parquet.encryption.CryptoFactory(lambda settings: Keys())
for name, plain_footer in [("column", True), ("footer", False)]:
    secret = factory.file_encryption_properties(
        pyarrow.parquet.encryption.KmsConnectionConfig(),
        pyarrow.parquet.encryption.EncryptionConfiguration(
            footer_key="a", column_keys={"b": ["label"]}, plaintext_footer=plain_footer))
    write(f"unreadable-{name}", few, encryption_properties=secret)

# ------------------------------------------------------------------ labels

pictures = pyarrow.array([{"bytes": png(n), "path": f"{n}.png"} for n in range(12)], PICTURE)
animals = ["cow", "ant", "bee", "ant"] * 3
some = [None if n in (1, 6, 11) else animals[n] for n in range(12)]
write("text", {"image": pictures, "label": pyarrow.array(animals)})
write("text-missing", {"image": pictures, "label": pyarrow.array(some).dictionary_encode()}, row_group_size=5)
write("text-numbers", {"image": pictures, "label": pyarrow.array([str(n % 3) for n in range(12)])})
write("text-identifiers", {"image": pictures, "label": pyarrow.array([str(90001234 + n % 3) for n in range(12)])})
write("text-empty", {"image": pictures, "label": pyarrow.array(["ant", ""] * 6)})
write("identifiers", {"image": pictures, "label": pyarrow.array([90001234 - n % 3 for n in range(12)])})
write("numbers", {"image": pictures, "label": pyarrow.array([n % 3 for n in range(12)], pyarrow.uint8())})
write("boolean", {"image": pictures, "label": pyarrow.array([n % 3 == 0 for n in range(12)])})
for name, names, number in [
    ("ordered", ("ant", "bee", "cow"), lambda n: n % 3), ("reversed", ("cow", "bee", "ant"), lambda n: 2 - n % 3),
    ("fewer", ("cow", "ant"), lambda n: n % 2), ("other", ("ant", "bee", "eel"), lambda n: n % 3),
    ("outside", ("ant", "bee"), lambda n: -1 if n == 4 else n % 2),
]:
    label = pyarrow.array([number(n) for n in range(12)])
    write(name, {"image": pictures, "label": label}, {"image": {"_type": "Image"}, "label": classes(*names)})

# ------------------------------------------------------------------ columns

image, map_, number = {"_type": "Image"}, {"_type": "Image"}, pyarrow.array([n % 3 for n in range(12)])
other = pyarrow.array([{"bytes": png(n + 100), "path": None} for n in range(12)], PICTURE)
tags = pyarrow.array([["a"] * (n % 3) for n in range(12)])
write("two-images", {"annotation": other, "image": pictures, "label": number}, {"annotation": image, "image": image})
write("left-right", {"left": other, "right": pictures, "label": number}, {"left": image, "right": image})
write("fine-coarse", {"img": pictures, "coarse_label": pyarrow.array([n % 2 for n in range(12)]), "fine_label": number},
      {"img": image, "coarse_label": classes("x", "y"), "fine_label": classes("ant", "bee", "cow")})
write("one-of-each", {"photo": pictures, "species": number, "id": number, "tags": tags},
      {"photo": image, "species": classes("ant", "bee", "cow")})
write("named-class", {"photo": pictures, "Category": pyarrow.array(animals), "score": pyarrow.array([0.5] * 12)})
write("no-label", {"image": pictures, "id": number, "score": pyarrow.array([0.5] * 12), "tags": tags})
write("two-labels", {"image": pictures, "class": number, "target": number})
write("no-image", {"url": pyarrow.array(animals), "label": number})

# ------------------------------------------------------------------ paths

(OUT / "images").mkdir()
for n in range(4):
    (OUT / f"images/{n}.png").write_bytes(png(n))
where = ["images/0.png", "images/1.png", "images/none.png", "images/2.png", None, "images", "images/3.png", "http://localhost/4.png"]
labels = pyarrow.array([n % 2 for n in range(8)])
write("paths", {"image": pyarrow.array(where), "label": labels}, row_group_size=3)
write("paths-null", {"image": pyarrow.array([{"bytes": None, "path": p} for p in where]), "label": labels})
mixed = [{"bytes": png(50 + n) if n % 2 else None, "path": p} for n, p in enumerate(where)]
write("paths-mixed", {"image": pyarrow.array(mixed, PICTURE), "label": pyarrow.array([0, None] + [1] * 6)}, row_group_size=3)
write("paths-unstated", {"image": pyarrow.array(mixed, PICTURE), "label": labels}, row_group_size=3, write_statistics=False)
write("file-names", {"file_name": pyarrow.array(where), "label": labels})
write("gaps", {"image": pyarrow.array([None if n % 4 == 3 else png(n) for n in range(12)]),
               "label": pyarrow.array([None if n == 5 else n % 2 for n in range(12)])}, row_group_size=4)
write("gaps-images", {"image": pyarrow.array([None if n > 8 else png(n) for n in range(12)]), "label": number},
      row_group_size=4)
# A column with nulls only in a row group has an empty dictionary, compressed to a few bytes.
for codec in ("gzip", "zstd"):
    write(f"nulls-{codec}", {"image": pyarrow.array([None if n // 4 == 1 else png(n) for n in range(16)]),
                             "label": pyarrow.array([None if n // 4 == 2 else n % 2 for n in range(16)])},
          row_group_size=4, compression=codec)

# ------------------------------------------------------------------ what pyarrow reads


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    return {key: plain(part) for key, part in value.items()} if isinstance(value, dict) else value


expected = {}
for path in sorted(OUT.glob("*.parquet")):
    if path.stem.startswith("unreadable") or path.stem == "lz4-blocks":
        continue
    table = pyarrow.parquet.read_table(path)
    expected[path.stem] = {name: [plain(value) for value in table[name].to_pylist()] for name in table.column_names}
expected["lz4-blocks"] = expected["lz4-frame"]
assert expected["lz4-frame"] == expected["lz4-frames"] == expected["lz4-bare"]
assert expected["lz4-frame"] == {"image": [v.hex() for v in lz4_images], "label": lz4_labels}
(OUT / "expected.json").write_text(json.dumps(expected) + "\n")
print({name: sum(map(len, columns.values())) for name, columns in expected.items()})
