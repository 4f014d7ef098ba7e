#!/usr/bin/env bash
# datasets 5.2.0, pyarrow 26.0.1, Pillow 13.0.0
#
# An image of load_dataset("imagefolder") is stored as the path of its file, also after map has changed the image in place
# (thumbnail): the change is lost without an error, and the image is read from the file again. A new image (resize) is kept.
# to_parquet writes these paths and no bytes.
#
# Output seen:
#   as loaded: size (64, 64), images with bytes 0
#   thumbnail, in place: size (64, 64), images with bytes 0
#   resize, a new image: size (8, 8), images with bytes 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > show.py <<'PYTHON'
import pathlib

import pyarrow.parquet
from datasets import load_dataset
from PIL import Image

for name in ["cat", "dog"]:
    pathlib.Path("images", name).mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(f"images/{name}/1.png")
data = load_dataset("imagefolder", data_dir="images", split="train")


def in_place(row):
    row["image"].thumbnail((8, 8))
    assert row["image"].size == (8, 8)
    return row


def copy(row):
    return {"image": row["image"].resize((8, 8))}


def show(title, data):
    data.to_parquet("images.parquet")
    stored = pyarrow.parquet.read_table("images.parquet")["image"].to_pylist()
    print(f"{title}: size {data[0]['image'].size}, images with bytes {sum(image['bytes'] is not None for image in stored)}")


show("as loaded", data)
show("thumbnail, in place", data.map(in_place))
show("resize, a new image", data.map(copy))
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
as loaded: size (64, 64), images with bytes 0
thumbnail, in place: size (64, 64), images with bytes 0
resize, a new image: size (8, 8), images with bytes 2
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
