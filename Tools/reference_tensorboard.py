"""Writes an event file with Python's TensorBoard (pip install tensorboard==2.21.0 numpy).

    python Tools/reference_tensorboard.py    writes Tests/OnePassTests/Fixtures/python.tfevents

The file has two records, written with TensorBoard's record writer and messages: the file version, and a step with a scalar
and a histogram whose buckets are NumPy's.
"""

from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FIXTURE = Path(__file__).resolve().parent.parent / "Tests/OnePassTests/Fixtures/python.tfevents"

# The test uses the same values.
values = np.array([index * 37 % 101 for index in range(60)], dtype=np.float64) / 8
counts, edges = np.histogram(values, bins=40)
histogram = HistogramProto(
    min=values.min(), max=values.max(), num=len(values), sum=values.sum(), sum_squares=(values**2).sum(),
    bucket_limit=edges[1:], bucket=counts,
)
point = Summary(value=[
    Summary.Value(tag="loss/incoming", simple_value=2.3025851),
    Summary.Value(tag="memory/priority", histo=histogram),
])

FIXTURE.parent.mkdir(exist_ok=True)
with open(FIXTURE, "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1.5e9, step=0, file_version="brain.Event:2").SerializeToString())
    writer.write(Event(wall_time=1.5e9 + 0.25, step=12, summary=point).SerializeToString())
    writer.flush()
