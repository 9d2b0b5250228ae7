"""Of an interrupted training's TensorBoard log, what it does not repeat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

__all__ = ["keep_events"]


def keep_events(path: Path, epochs: int, steps: int) -> None:
    """Drop the events that an interrupted training repeats, as `keep_epochs` does with epochs.

    Args:
        path: an event file of a `TensorBoardLog`, replaced as a whole; removed if nothing stays.
        epochs: complete ones, whose events stay.
        steps: training steps since the very first, whose events stay.

    Raises:
        OSError: the file cannot be written; it stays as it is then.
    """
    if steps == 0:
        path.unlink()
        return
    temporary = path.with_name(".kept")  # whose name TensorBoard does not take for a log's
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in _records(path):
                if _stays(tf.compat.v1.Event.FromString(record), epochs, steps):
                    writer.write(record)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _records(path: Path) -> Iterator[bytes]:
    """All but one that a killed process has left half-written at the end."""
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.DataLossError:
        return


def _stays(event: tf.compat.v1.Event, epochs: int, steps: int) -> bool:
    group, _, name = event.summary.value[0].tag.partition("/") if event.summary.value else ("",) * 3
    is_by_epoch = name and group != "batch"
    return bool(event.step < epochs if is_by_epoch else event.step <= steps)
