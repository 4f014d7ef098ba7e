"""Prints the contents of a folder of event files, as read by TensorBoard, as JSON (pip install tensorboard==2.21.0 pillow).

    python Tools/read_events.py runs/first/tensorboard

For each tag and step: scalars [step, value]; histograms [step, number of values, sum of the buckets]; images [step, width,
height], as Pillow decodes them; texts.
"""

import io
import json
import sys

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

kinds = ("scalars", "histograms", "images", "tensors")
events = EventAccumulator(sys.argv[1], size_guidance=dict.fromkeys(kinds, 0))
events.Reload()
tags = events.Tags()


def size(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    return [image.width, image.height]


json.dump(
    {
        "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "histograms": {
            tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in events.Histograms(tag)]
            for tag in tags["histograms"]
        },
        "images": {
            tag: [[e.step, *size(e.encoded_image_string)] for e in events.Images(tag)] for tag in tags["images"]
        },
        "texts": {
            tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
            for tag in tags["tensors"]
        },
    },
    sys.stdout,
)
