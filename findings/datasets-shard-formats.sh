#!/usr/bin/env bash
# datasets 5.2.0, webdataset 1.0.2, Pillow 13.0.0
#
# load_dataset("webdataset") decides on the fields of all samples from the first five. In a shard whose first images are .jpg, an
# image that is stored as .png has no field: the sample is kept with its label, and its image is None. There is no error and no
# warning, also while streaming. The webdataset library delivers the bytes of all of them.
#
# Output seen:
#   datasets, streaming False: fields ['cls', 'jpg'], labels 10, images 7
#   datasets, streaming True: fields ['cls', 'jpg'], labels 10, images 7
#   webdataset: labels 10, images 10
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6 webdataset==1.0.2
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > show.py <<'PYTHON'
import io

import webdataset
from datasets import load_dataset
from PIL import Image


def encoded(format):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, format)
    return stream.getvalue()


with webdataset.TarWriter("shard.tar") as shard:
    for number in range(10):
        field, data = ("jpg", encoded("JPEG")) if number < 7 else ("png", encoded("PNG"))
        shard.write({"__key__": f"{number:04}", field: data, "cls": b"1"})

for streaming in [False, True]:
    data = load_dataset("webdataset", data_files={"train": "shard.tar"}, split="train", streaming=streaming)
    samples = list(data)
    print(f"datasets, streaming {streaming}: fields {sorted(key for key in samples[9] if key[0] != '_')},", end=" ")
    print(f"labels {sum(sample['cls'] == 1 for sample in samples)},", end=" ")
    print(f"images {sum(sample.get('jpg') is not None for sample in samples)}")
samples = list(webdataset.WebDataset("shard.tar", shardshuffle=False))
print(f"webdataset: labels {sum('cls' in sample for sample in samples)},", end=" ")
print(f"images {sum('jpg' in sample or 'png' in sample for sample in samples)}")
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
datasets, streaming False: fields ['cls', 'jpg'], labels 10, images 7
datasets, streaming True: fields ['cls', 'jpg'], labels 10, images 7
webdataset: labels 10, images 10
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
