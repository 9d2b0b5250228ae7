"""All samples of one split at once, for evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data.make_dataset import make_dataset
from socialmd.dataset_folder import read_description

__all__ = ["Windows", "read_windows"]


class Windows(NamedTuple):
    """Samples of one split, as they are stored: not rotated, in the order of the files.

    Args:
        inputs: past, [W, T, N, F].
        truth: what followed, [W, T', N, 2].
        simulations: number of the simulation that each is from, [W].
    """

    inputs: NDArray[Any]
    truth: NDArray[Any]
    simulations: NDArray[Any]


def read_windows(
    data: str | Path, split: str, config: DataConfig, max_windows: int | None = None
) -> Windows:
    """Every window of a split, or at most so many, evenly spread.

    Args:
        data: folder of the data set.
        split: `"test"`, say.
        config: how trajectories become windows; its rotations are left out.
        max_windows: at most so many; all if none is given.

    Returns:
        The windows, float32.

    Raises:
        FileNotFoundError: the data set or the split is missing.
        ValueError: the data are not such as described.

    Example:
        >>> windows = read_windows("data/monopoles", "test", config.data)
        >>> constant_velocity(windows.inputs, 30).shape == windows.truth.shape
        True
    """
    as_stored = config.model_copy(update={"num_rotations": 0})
    batches = list(make_dataset(Path(data) / split, as_stored, batch_size=256).as_numpy_iterator())
    inputs, truth = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    files = [name for name in read_description(data).files if Path(name).parts[0] == split]
    simulations = np.arange(len(inputs)) // (len(inputs) // len(files))
    count = min(max_windows or len(inputs), len(inputs))
    chosen = np.linspace(0, len(inputs) - 1, count).round().astype(int)
    return Windows(inputs[chosen], truth[chosen], simulations[chosen])
