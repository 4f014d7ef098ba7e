"""Writes small tar shards with unusual names, and the reference values that the webdataset library reads from them.

    python Tools/reference_shards.py

Requires webdataset 1.0.2 and zstandard. Writes to Tests/OnePassDataTests/Fixtures/shards/:
ustar.tar, gnu.tar.gz, pax.tar.gz, pax.tar.zst, and expected.json, a list of [key, image, label] for each shard.
The image is the field whose name is an image extension, otherwise the first field whose name ends in one.
The bodies are short texts, because they are not decoded.
"""

import gzip
import io
import json
import pathlib
import tarfile

import webdataset
import zstandard
from webdataset import tariterators

OUT = pathlib.Path(__file__).parent.parent / "Tests/OnePassDataTests/Fixtures/shards"
IMAGES = ["jpg", "jpeg", "png", "img", "image"]
LONG = "long/" + "/".join(["d" * 60] * 3) + "/" + "n" * 120

# Name and body, in the order of the archive; a body of None makes a directory.
PLAIN = [
    ("000000.jpg", "zero"), ("000000.cls", "0"),
    ("1.cls", "1"), ("1.jpg", "label first"),
    ("./2.JPG", "capitals"), ("./2.Cls", "2"),
    ("folder", None),
    ("folder/3.png", "in a folder"), ("folder/3.json", "{}"), ("folder/3.cls", " 3\n"),
    ("dots.in.folder/4.jpeg", "dots before"), ("dots.in.folder/4.cls", "+4"),
    ("5.left.jpg", "compound"), ("5.jpg", "whole"), ("5.cls", "5"),
    ("6.left.jpg", "compound only"), ("6.cls", "6"), ("6.right.jpg", "second compound"),
    ("README", "no extension"), ("notes.txt", "no part of a sample"),
    ("__meta__/7.jpg", "metadata"), ("__meta__", "metadata"),
    ("1.img", "a key that comes back"), ("1.cls", "7"),
    ("8.image", ""), ("8.cls", "008"),
    ("a/9.jpg", "the same name in two folders"), ("a/9.cls", "9"), ("b/9.jpg", "b"), ("b/9.cls", "10"),
    ("10.jpg", "x" * 1024), ("10.cls", "11"),
]
ODD = PLAIN + [
    ("grün/été.jpg", "not ASCII"), ("grün/été.cls", "12"),
    ("grün/eté.jpg", "not ASCII either"), ("grün/eté.cls", "13"),
    (LONG + ".jpg", "a long name"), (LONG + ".cls", "14"),
]


def write(entries, format):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name, body in entries:
            info = tarfile.TarInfo(name)
            info.mtime = 1.5 if format == tarfile.PAX_FORMAT else 1
            if body is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                data = body.encode()
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                link = tarfile.TarInfo(name.rsplit(".", 1)[0] + ".link.jpg")
                link.type, link.linkname = tarfile.SYMTYPE, name
                if name == "000000.cls":
                    tar.addfile(link)
    return buffer.getvalue()


def read(data):
    samples = []
    files = tariterators.tar_file_expander(iter([{"url": "shard", "stream": io.BytesIO(data)}]))
    for sample in tariterators.group_by_keys(files):
        fields = {name: body for name, body in sample.items() if not name.startswith("__")}
        whole = [body for name, body in fields.items() if name in IMAGES]
        last = [body for name, body in fields.items() if name.rsplit(".", 1)[-1] in IMAGES]
        if whole or last:
            samples.append([sample["__key__"], (whole or last)[0].decode(), int(fields["cls"])])
    return samples


OUT.mkdir(parents=True, exist_ok=True)
ustar, gnu, pax = (
    write(entries, format)
    for entries, format in [
        (PLAIN, tarfile.USTAR_FORMAT), (ODD, tarfile.GNU_FORMAT), (ODD, tarfile.PAX_FORMAT),
    ]
)
(OUT / "ustar.tar").write_bytes(ustar)
(OUT / "gnu.tar.gz").write_bytes(gzip.compress(gnu, mtime=0))
(OUT / "pax.tar.gz").write_bytes(gzip.compress(pax, mtime=0))
(OUT / "pax.tar.zst").write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(pax))
expected = {
    "ustar.tar": read(ustar), "gnu.tar.gz": read(gnu), "pax.tar.gz": read(pax), "pax.tar.zst": read(pax),
}
(OUT / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
print(webdataset.__version__, {name: len(samples) for name, samples in expected.items()})
