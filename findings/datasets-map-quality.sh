#!/usr/bin/env bash
# datasets 5.2.0, Pillow 13.0.0
#
# A function of map that only looks at a JPEG image recompresses it: quality 95 becomes quality 75 (first entry of the quantisation
# table 2 and 8). It does not have to change or return the image: computing a new column from its width is enough. A function that
# does not look at the image keeps its bytes, and so does filter with the same look.
#
# Output seen:
#   before: same bytes True, first entry 2
#   map, new column of the label: same bytes True, first entry 2
#   map, new column of the width: same bytes False, first entry 8
#   filter by the width: same bytes True, first entry 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1

cat > show.py <<'PYTHON'
import io

from datasets import Dataset, Features, Image, Value
from PIL import Image as Pillow

stream = io.BytesIO()
Pillow.linear_gradient("L").convert("RGB").save(stream, "JPEG", quality=95)
rows = {"image": [{"bytes": stream.getvalue(), "path": None}], "label": [0]}
data = Dataset.from_dict(rows, Features({"image": Image(), "label": Value("int64")}))


def show(title, data):
    stored = data.cast_column("image", Image(decode=False))[0]["image"]["bytes"]
    table = Pillow.open(io.BytesIO(stored)).quantization[0]
    print(f"{title}: same bytes {stored == stream.getvalue()}, first entry {table[0]}")


show("before", data)
show("map, new column of the label", data.map(lambda row: {"odd": row["label"] % 2}))
show("map, new column of the width", data.map(lambda row: {"width": row["image"].width}))
show("filter by the width", data.filter(lambda row: row["image"].width > 100))
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
before: same bytes True, first entry 2
map, new column of the label: same bytes True, first entry 2
map, new column of the width: same bytes False, first entry 8
filter by the width: same bytes True, first entry 2
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
