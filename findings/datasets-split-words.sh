#!/usr/bin/env bash
# datasets 5.2.0, Pillow 13.0.0
#
# load_dataset("imagefolder") with a folder for each class looks for the words of splits (train, val, dev, test, eval, ...) in
# the names of folders and files. A class that is named "train" (a vehicle in CIFAR-100, PASCAL VOC and COCO), or one file that is
# named "test-drive.png", is a match. Then only the matching files are the data set: the other classes are missing, and there
# are no labels. There is no error and no warning.
#
# Output seen:
#   bus, car, van: split train, 9 images, classes ['bus', 'car', 'van']
#   bus, car, train: split train, 3 images, classes None
#   bus, car, van and car/test-drive.png: split test, 1 images, classes None
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > show.py <<'PYTHON'
import pathlib

from datasets import load_dataset
from PIL import Image


def folder(name, files):
    for file in files:
        path = pathlib.Path(name, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    return name


def show(title, name):
    for split, data in load_dataset("imagefolder", data_dir=name).items():
        label = data.features.get("label")
        print(f"{title}: split {split}, {len(data)} images, classes {label.names if label else None}")


vehicles = [f"{name}/{number}.png" for name in ["bus", "car", "van"] for number in range(3)]
show("bus, car, van", folder("plain", vehicles))
show("bus, car, train", folder("train-class", [file.replace("van", "train") for file in vehicles]))
show("bus, car, van and car/test-drive.png", folder("one-file", vehicles + ["car/test-drive.png"]))
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
bus, car, van: split train, 9 images, classes ['bus', 'car', 'van']
bus, car, train: split train, 3 images, classes None
bus, car, van and car/test-drive.png: split test, 1 images, classes None
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
