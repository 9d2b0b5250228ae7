"""Files that TensorBoard reads, written and shortened without TensorFlow."""

from __future__ import annotations

import io
import itertools
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

__all__ = ["EventFile", "keep_events", "pictures", "scalars", "texts"]

_files = itertools.count()  # of this process


class EventFile:
    """What one process writes of a run; whatever is written is in the file at once.

    Args:
        folder: of the run, which TensorBoard names by it.

    Example:
        >>> file = EventFile("runs/mine/tensorboard/validation")
        >>> file.write(7, scalars({"epoch/loss": -3.2}))
        >>> file.close()
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        made = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_files)}"
        # A name by which TensorBoard knows such files and their order.
        file = (folder / f"events.out.tfevents.{made}.v2").open("wb")
        self._records = RecordWriter(file)
        self._append(Event(file_version="brain.Event:2"))

    def write(self, step: int, summary: Summary) -> None:
        """All of a summary, at this step."""
        self._append(Event(step=step, summary=summary))

    def close(self) -> None:
        """Nothing can be written any more."""
        self._records.close()

    def _append(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._records.flush()


def scalars(values: Mapping[str, float]) -> Summary:
    """Numbers by tag."""
    return _joined([scalar_pb(tag, value) for tag, value in values.items()])


def texts(values: Mapping[str, str]) -> Summary:
    """Markdown by tag."""
    return _joined([text_pb(tag, value) for tag, value in values.items()])


def pictures(values: Mapping[str, Sequence[Figure]]) -> Summary:
    """Figures by tag, those of one tag of one size."""
    summary = Summary()
    metadata = image_metadata.create_summary_metadata(display_name=None, description=None)
    for tag, figures in values.items():
        pixels = [_pixels(figure) for figure in figures]
        height, width, _ = pixels[0].shape
        encoded = [str(width).encode(), str(height).encode(), *map(_png, pixels)]
        summary.value.add(tag=tag, metadata=metadata, tensor=make_tensor_proto(encoded))
    return summary


def _joined(summaries: Sequence[Summary]) -> Summary:
    return Summary(value=[value for summary in summaries for value in summary.value])


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """[height, width, 4], drawn once: to save a figure draws it twice."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    imsave(file, pixels, format="png")
    return file.getvalue()


def keep_events(path: Path, epochs: int, steps: int) -> None:
    """Drop the events that an interrupted training repeats, as `keep_epochs` does with epochs.

    Those of `epochs` that are complete, and of `steps` since the very first, stay. The file is
    replaced as a whole, and removed if nothing stays.
    """
    if steps == 0:
        path.unlink()
        return
    temporary = path.with_name(".kept")  # whose name TensorBoard does not take for a log's
    try:
        with temporary.open("wb") as file:
            kept = RecordWriter(file)
            # Of one that a killed process has left half-written at the end, nothing is said.
            for record in RawEventFileLoader(str(path)).Load():
                if _stays(Event.FromString(record), epochs, steps):
                    kept.write(record)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _stays(event: Event, epochs: int, steps: int) -> bool:
    group, _, name = event.summary.value[0].tag.partition("/") if event.summary.value else ("",) * 3
    is_by_epoch = name and group != "batch"
    return bool(event.step < epochs if is_by_epoch else event.step <= steps)
