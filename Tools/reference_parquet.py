"""Writes small Parquet files, and the reference values that pyarrow and Hugging Face's datasets read from them.

    python Tools/reference_parquet.py

Requires datasets (with pyarrow and pillow). Writes to Tests/OnePassDataTests/Fixtures/parquet/:
- hub.parquet by the datasets library (an Image and a ClassLabel feature),
- others by pyarrow: each compression, both data page versions, with and without dictionaries, several row groups and pages,
  missing images, additional columns, and 32-bit integers,
- expected.json: a list of [image, label] for each file; the image is hexadecimal digits or null.
"""

import io
import json
import pathlib
import random
import shutil

import datasets
import pyarrow
import pyarrow.parquet
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "Tests/OnePassDataTests/Fixtures/parquet"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
chance = random.Random(1)


def png(number):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (number * 20 % 256, 5, 7)).save(buffer, "PNG")
    return buffer.getvalue()


def body(number):
    """Compressible, random, repeated and empty bodies."""
    kinds = [b"", bytes([number]) * 200, chance.randbytes(150), b"the same for many", b"ab" * (number % 200)]
    return kinds[chance.randrange(len(kinds))]


def rows(count, missing=False):
    images = [None if missing and chance.random() < 0.3 else body(n) for n in range(count)]
    return images, [chance.randrange(5) for _ in range(count)]


def structure(images):
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    return pyarrow.array(
        [None if i is None else {"bytes": i, "path": f"{n}.png"} for n, i in enumerate(images)], kind)


names = ["ant", "bee", "cat", "dog", "eel"]
features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
hub = datasets.Dataset.from_dict(
    {"image": [{"bytes": png(n), "path": None} for n in range(23)], "label": [n % 5 for n in range(23)]},
    features=features,
)
hub.to_parquet(OUT / "hub.parquet", batch_size=10)

for name, options in {
    "none": dict(compression="none"),
    "snappy": dict(compression="snappy", row_group_size=40),
    "gzip": dict(compression="gzip", data_page_size=500, write_batch_size=7),
    "zstd": dict(compression="zstd", use_dictionary=False, row_group_size=33),
    "pages": dict(compression="snappy", data_page_version="2.0", data_page_size=300, write_batch_size=5),
    "plain2": dict(compression="zstd", data_page_version="2.0", use_dictionary=False, data_page_size=300, write_batch_size=9),
}.items():
    images, labels = rows(100)
    table = pyarrow.table({
        "id": [str(n) for n in range(100)], "image": structure(images), "tags": [["a"] * (n % 3) for n in range(100)],
        "label": pyarrow.array(labels, pyarrow.int64()),
    })
    pyarrow.parquet.write_table(table, OUT / f"{name}.parquet", **options)

images, labels = rows(60, missing=True)
pyarrow.parquet.write_table(
    pyarrow.table({"img": pyarrow.array(images, pyarrow.binary()), "labels": pyarrow.array(labels, pyarrow.int32())}),
    OUT / "missing.parquet", row_group_size=25, data_page_size=200, write_batch_size=4)
fields = [pyarrow.field("jpg", pyarrow.binary(), nullable=False), pyarrow.field("cls", pyarrow.int32(), nullable=False)]
images, labels = rows(30)
pyarrow.parquet.write_table(
    pyarrow.table([images, [3] * 30], schema=pyarrow.schema(fields)), OUT / "required.parquet")
pyarrow.parquet.write_table(
    pyarrow.table({"image": pyarrow.array(images, pyarrow.binary()), "label": labels}), OUT / "delta.parquet",
    use_dictionary=False, column_encoding={"image": "DELTA_LENGTH_BYTE_ARRAY"})
pyarrow.parquet.write_table(pyarrow.table({"label": labels}), OUT / "labels.parquet")

expected = {}
for path in sorted(OUT.glob("*.parquet")):
    if path.stem == "labels":
        continue
    table = pyarrow.parquet.read_table(path)
    image, label = [n for n in table.column_names if n not in ["id", "tags"]]
    values = table[image].to_pylist()
    values = [v["bytes"] if isinstance(v, dict) else v for v in values]
    expected[path.name] = [[None if v is None else v.hex(), l] for v, l in zip(values, table[label].to_pylist())]
(OUT / "expected.json").write_text(json.dumps(expected) + "\n")
print({name: len(rows) for name, rows in expected.items()})
