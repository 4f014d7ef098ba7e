#!/usr/bin/env bash
# Pillow 13.0.0
#
# resize and thumbnail before convert("RGB") give other pixels than after it. Palette and 1-bit images are resized with NEAREST, whatever
# filter the call names: black and white stripes become white instead of grey. Images with transparency are multiplied by it: the colours
# of transparent pixels, which convert("RGB") alone shows, become black, and those of nearly transparent pixels saturate.
#
# Output seen:
#   palette: resize, convert (255, 255, 255); convert, resize (128, 128, 128)
#   1 bit: resize, convert (255, 255, 255); convert, resize (128, 128, 128)
#   grey: resize, convert (128, 128, 128); convert, resize (128, 128, 128)
#   alpha 255: resize, convert (200, 100, 50); convert, resize (200, 100, 50)
#   alpha 1: resize, convert (255, 0, 0); convert, resize (200, 100, 50)
#   alpha 0: resize, convert (0, 0, 0); convert, resize (200, 100, 50)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0

cat > show.py <<'PYTHON'
from PIL import Image

BOX = Image.Resampling.BOX


def show(title, image):
    first = image.resize((4, 4), BOX).convert("RGB").getpixel((0, 0))
    last = image.convert("RGB").resize((4, 4), BOX).getpixel((0, 0))
    print(f"{title}: resize, convert {first}; convert, resize {last}")


stripes = Image.new("P", (8, 8))
stripes.putdata([0, 1] * 32)
stripes.putpalette([0, 0, 0, 255, 255, 255])
show("palette", stripes)
show("1 bit", stripes.convert("1", dither=Image.Dither.NONE))
show("grey", stripes.convert("L"))
for alpha in [255, 1, 0]:
    show(f"alpha {alpha}", Image.new("RGBA", (8, 8), (200, 100, 50, alpha)))
PYTHON

venv/bin/python show.py > seen
cat > expected <<'TEXT'
palette: resize, convert (255, 255, 255); convert, resize (128, 128, 128)
1 bit: resize, convert (255, 255, 255); convert, resize (128, 128, 128)
grey: resize, convert (128, 128, 128); convert, resize (128, 128, 128)
alpha 255: resize, convert (200, 100, 50); convert, resize (200, 100, 50)
alpha 1: resize, convert (255, 0, 0); convert, resize (200, 100, 50)
alpha 0: resize, convert (0, 0, 0); convert, resize (200, 100, 50)
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
