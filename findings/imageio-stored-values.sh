#!/usr/bin/env bash
# imageio 2.38.1, tifffile 2026.3.3, Pillow 13.0.0
#
# imageio.v3.imread gives colours for a PNG with a palette, but the numbers of the palette's entries for the same image as TIFF, with
# tifffile or without it. Grey TIFF files in which white is zero are not inverted: dark and bright are exchanged. A 1-bit image is an array
# of Booleans, so its white is 1, not 255. Pillow's convert("RGB") gives the colours in all four cases.
#
# Output seen:
#   without tifffile
#   palette.png: imageio uint8 [255, 128, 0], Pillow (255, 128, 0)
#   palette.tif: imageio uint8 1, Pillow (255, 128, 0)
#   white-is-zero.tif: imageio uint8 245, Pillow (10, 10, 10)
#   one-bit.png: imageio bool True, Pillow (255, 255, 255)
#   with tifffile
#   palette.png: imageio uint8 [255, 128, 0], Pillow (255, 128, 0)
#   palette.tif: imageio uint8 1, Pillow (255, 128, 0)
#   white-is-zero.tif: imageio uint8 245, Pillow (10, 10, 10)
#   one-bit.png: imageio bool True, Pillow (255, 255, 255)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio==2.38.1 pillow==13.0.0 numpy==2.4.6

cat > show.py <<'PYTHON'
import imageio.v3
from PIL import Image

palette = Image.new("P", (16, 16), 1)
palette.putpalette([0, 0, 0, 255, 128, 0])
palette.save("palette.png")
palette.save("palette.tif")
Image.new("L", (16, 16), 10).save("white-is-zero.tif", tiffinfo={262: 0})
Image.new("1", (16, 16), 1).save("one-bit.png")
for file in ["palette.png", "palette.tif", "white-is-zero.tif", "one-bit.png"]:
    pixels = imageio.v3.imread(file)
    colour = Image.open(file).convert("RGB").getpixel((0, 0))
    print(f"{file}: imageio {pixels.dtype} {pixels[0, 0].tolist()}, Pillow {colour}")
PYTHON

{
  echo "without tifffile"
  venv/bin/python show.py
  venv/bin/pip install --quiet --disable-pip-version-check tifffile==2026.3.3
  echo "with tifffile"
  venv/bin/python show.py
} > seen
cat > expected <<'TEXT'
without tifffile
palette.png: imageio uint8 [255, 128, 0], Pillow (255, 128, 0)
palette.tif: imageio uint8 1, Pillow (255, 128, 0)
white-is-zero.tif: imageio uint8 245, Pillow (10, 10, 10)
one-bit.png: imageio bool True, Pillow (255, 255, 255)
with tifffile
palette.png: imageio uint8 [255, 128, 0], Pillow (255, 128, 0)
palette.tif: imageio uint8 1, Pillow (255, 128, 0)
white-is-zero.tif: imageio uint8 245, Pillow (10, 10, 10)
one-bit.png: imageio bool True, Pillow (255, 255, 255)
TEXT

cat seen
diff expected seen || { echo "The behaviour has changed." >&2; exit 1; }
