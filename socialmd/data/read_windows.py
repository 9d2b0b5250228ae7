"""All samples of one split at once, for evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data.make_dataset import make_dataset
from socialmd.data.padding import real_particles
from socialmd.dataset_folder import DatasetDescription, read_description

__all__ = ["Windows", "read_windows"]


class Windows(NamedTuple):
    """Samples of one split, as they are stored: not rotated, in the order of the files.

    Args:
        inputs: past, [W, T, N, F].
        truth: what followed, [W, T', N, D].
        simulations: number of the simulation that each is from, [W]. What was cut out of the same
            one (slices of a nanoparticle) has the same number, because it is not independent.
        mask: bool [W, N], false for padded particles; none if there are none.
    """

    inputs: NDArray[Any]
    truth: NDArray[Any]
    simulations: NDArray[Any]
    mask: NDArray[np.bool_] | None = None

    def at(self, chosen: NDArray[np.intp]) -> Windows:
        """Some of the windows, by their numbers."""
        mask = None if self.mask is None else self.mask[chosen]
        return Windows(self.inputs[chosen], self.truth[chosen], self.simulations[chosen], mask)

    def of_particles(self) -> Windows:
        """The same, every real particle of every window as a window of its own.

        Means over windows and particles stay what they are, and padded particles are gone. Without
        any, nothing changes.
        """
        if self.mask is None:
            return self
        simulations = np.repeat(self.simulations, self.mask.sum(axis=1))
        return Windows(self.real(self.inputs), self.real(self.truth), simulations)

    def real(self, array: Any) -> NDArray[Any]:
        """An array [W, steps, N, ...] likewise; [M, steps, 1, ...] if particles are padded."""
        return np.asarray(array) if self.mask is None else real_particles(array, self.mask)


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
    pasts, futures = zip(*batches, strict=True)
    truth = np.concatenate(futures)
    if isinstance(pasts[0], dict):
        inputs, mask = (np.concatenate([past[key] for past in pasts]) for key in ("inputs", "mask"))
    else:
        inputs, mask = np.concatenate(pasts), None
    origins = _origins(read_description(data), split)
    simulations = np.repeat(origins, len(inputs) // len(origins))
    count = min(max_windows or len(inputs), len(inputs))
    chosen = np.linspace(0, len(inputs) - 1, count).round().astype(int)
    return Windows(inputs, truth, simulations, mask).at(chosen)


def _origins(description: DatasetDescription, split: str) -> list[int]:
    """Number of the simulation that each file of a split is from: slices of one belong together."""
    files = [name for name in sorted(description.files) if Path(name).parts[0] == split]
    made = (description.preprocessing or {}).get("files", {})
    return [made.get(name, {}).get("simulation", index) for index, name in enumerate(files)]
