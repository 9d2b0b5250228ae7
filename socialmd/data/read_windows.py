"""All samples of one split at once, for evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from socialmd.config import DataConfig
from socialmd.data.load_trajectories import Trajectories, load_trajectories
from socialmd.data.masked_inputs import pack
from socialmd.data.padding import real_particles
from socialmd.data.windows import sample_rows, window_offsets

__all__ = ["Windows", "cut_windows", "read_windows"]


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

    @property
    def past(self) -> Any:
        """Inputs as models take them, with their mask if there is one."""
        return pack(self.inputs, self.mask)

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
        >>> ConstantVelocity().rollout(windows.past, 30)[0].shape == windows.truth.shape
        True
    """
    return cut_windows(
        load_trajectories(Path(data) / split, config.minimum_frames), config, max_windows
    )


def cut_windows(
    trajectories: Trajectories, config: DataConfig, max_windows: int | None = None
) -> Windows:
    """The same, of a split that is in memory.

    Args:
        trajectories: the split.
        config: as for `read_windows`.
        max_windows: likewise.

    Returns:
        The windows, float32.

    Example:
        >>> cut_windows(load_trajectories("data/monopoles/test"), config.data).truth.shape
        (400, 30, 25, 2)
    """
    frames, description, mask = trajectories[:3]
    num_simulations, num_frames = frames.shape[:2]
    rows = sample_rows(num_simulations, num_frames, config.model_copy(update={"num_rotations": 0}))
    count = min(max_windows or len(rows), len(rows))
    rows = rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]
    simulations, first_frames = np.divmod(rows, num_frames)
    steps = first_frames[:, np.newaxis] + window_offsets(config)  # [W, T + T']
    windows = frames[simulations[:, np.newaxis], steps].astype(np.float32)  # [W, T + T', N, F]
    return Windows(
        inputs=windows[:, : config.input_steps],
        truth=windows[:, config.input_steps :, :, : description.spatial_dims],
        simulations=_origins(trajectories)[simulations],
        mask=None if mask.all() else mask[simulations],
    )


def _origins(trajectories: Trajectories) -> NDArray[np.int64]:
    """Number of the simulation that each file of a split is from: slices of one belong together."""
    description = trajectories.description
    folder = f"{trajectories.directory.name}/"
    files = [name for name in sorted(description.files) if name.startswith(folder)]
    made = (description.preprocessing or {}).get("files", {})
    return np.array([made.get(name, {}).get("simulation", i) for i, name in enumerate(files)])
