#!/usr/bin/env bash
# datasets 5.2.0, pyarrow 26.0.1, Pillow 13.0.0
#
# Parquet files of a data set can have different class names, for example if each was encoded with the classes that occur in it.
# load_dataset("parquet") takes the names of the first file for all of them without an error, so dogs become cats and foxes dogs.
# Another order of the files gives other names. concatenate_datasets refuses the same data.
#
# Output seen:
#   1.parquet 2.parquet, streaming False: cat=cat dog=dog dog=cat fox=dog
#   1.parquet 2.parquet, streaming True: cat=cat dog=dog dog=cat fox=dog
#   2.parquet 1.parquet, streaming False: dog=dog fox=fox cat=dog dog=fox
#   2.parquet 1.parquet, streaming True: dog=dog fox=fox cat=dog dog=fox
#   concatenate_datasets: The features can't be aligned
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > show.py <<'PYTHON'
import io

from datasets import Dataset, Features, Image, Value, concatenate_datasets, load_dataset
from PIL import Image as Pillow

stream = io.BytesIO()
Pillow.new("RGB", (4, 4)).save(stream, "PNG")
parts = []
for file, animals in {"1.parquet": ["cat", "dog"], "2.parquet": ["dog", "fox"]}.items():
    rows = {"image": [{"bytes": stream.getvalue(), "path": None}] * 2, "animal": animals, "label": animals}
    part = Dataset.from_dict(rows, Features({"image": Image(), "animal": Value("string"), "label": Value("string")}))
    parts.append(part.class_encode_column("label"))
    parts[-1].to_parquet(file)

for files in [["1.parquet", "2.parquet"], ["2.parquet", "1.parquet"]]:
    for streaming in [False, True]:
        data = load_dataset("parquet", data_files=files, split="train", streaming=streaming)
        label = data.features["label"]
        pairs = [f"{row['animal']}={label.int2str(row['label'])}" for row in data]
        print(f"{' '.join(files)}, streaming {streaming}: {' '.join(pairs)}")
try:
    concatenate_datasets(parts)
except ValueError as error:
    print(f"concatenate_datasets: {str(error).split(' because')[0]}")
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
1.parquet 2.parquet, streaming False: cat=cat dog=dog dog=cat fox=dog
1.parquet 2.parquet, streaming True: cat=cat dog=dog dog=cat fox=dog
2.parquet 1.parquet, streaming False: dog=dog fox=fox cat=dog dog=fox
2.parquet 1.parquet, streaming True: dog=dog fox=fox cat=dog dog=fox
concatenate_datasets: The features can't be aligned
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
