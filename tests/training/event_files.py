"""What TensorBoard shows of the folder of a run."""

from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util


def read_run(folder):
    """Values by tag and step, each of which may be there only once, in order of the steps.

    Scalars, texts, and pictures as bytes.
    """
    run = {}
    for path in sorted(Path(folder).glob("events.*"), key=_when_made):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                curve = run.setdefault(value.tag, {})
                assert event.step > max(curve, default=-1), f"{value.tag}: steps twice or backwards"
                array = tensor_util.make_ndarray(value.tensor)
                curve[event.step] = array.item() if array.size == 1 else array
    return run


def _when_made(path):
    """Second and number among this process' writers: as text, the tenth is before the second."""
    parts = path.name.split(".")
    return int(parts[3]), int(parts[-2])
