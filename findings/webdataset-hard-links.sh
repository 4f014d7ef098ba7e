#!/usr/bin/env bash
# webdataset 1.0.2 (tar: any, here Python's tarfile)
#
# tar stores a file that is a hard link of an earlier one as a link without content; so does Python's tarfile. Tools that replace equal
# files by hard links (such as jdupes) do that to labels, since the .cls files of a class are equal. WebDataset passes over links
# without an error: each class keeps the label of its first sample only. tar extracts all of them.
#
# Output seen:
#   tarfile:    0 1 0 1 0 1
#   webdataset: 0 1 none none none none
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check webdataset==1.0.2 numpy==2.4.6

cat > show.py <<'PYTHON'
import os
import tarfile

import webdataset

os.mkdir("samples")
first = {}
for number in range(6):
    label = str(number % 2)
    with open(f"samples/{number:04}.jpg", "wb") as image:
        image.write(bytes([number]))
    path = f"samples/{number:04}.cls"
    if label in first:
        os.link(first[label], path)
    else:
        first[label] = path
        with open(path, "w") as file:
            file.write(label)

with tarfile.open("shard.tar", "w") as shard:
    for name in sorted(os.listdir("samples")):
        shard.add(f"samples/{name}", arcname=name)
with tarfile.open("shard.tar") as shard:
    labels = [shard.extractfile(name).read().decode() for name in shard.getnames() if name.endswith(".cls")]
    print("tarfile:   ", *labels)
samples = webdataset.WebDataset("shard.tar", shardshuffle=False)
print("webdataset:", *(sample["cls"].decode() if "cls" in sample else "none" for sample in samples))
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
tarfile:    0 1 0 1 0 1
webdataset: 0 1 none none none none
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
