"""Check that lengths in the configuration are those of the data, before anything is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from socialmd.config import ExperimentConfig
from socialmd.config.model_config import WIDEST_GRID, used_grid_sizes
from socialmd.data import Trajectories
from socialmd.types import Array, FloatArray

__all__ = ["check_scales"]

# In units of `model.length_scale`: beyond, the network sees saturated numbers and losses overflow.
LARGEST_POSITION = 100.0
# Of the root-mean-square displacement of a step, that float32 has to resolve.
FINEST_PART = 0.05


def check_scales(config: ExperimentConfig, trajectories: Trajectories) -> None:
    """Refuse data that the model would read as enormous, or as a few rounded numbers.

    Positions are so far from the origin that float32 does not resolve their steps, or so large in
    units of `model.length_scale`; or the grids are much wider than the data, or no particle is ever
    within reach of another. The message says what to do.
    """
    directory, mask = trajectories.directory, trajectories.mask
    dims = trajectories.description.spatial_dims
    frames = trajectories.frames[:, :: config.data.subsample, :, :dims]  # [S, frames, N, D]
    x = np.moveaxis(frames, 2, 1)[mask].astype(np.float64)  # [particles, frames, D]
    largest, extent = float(np.abs(x).max()), float(np.ptp(x, axis=(0, 1)).max())
    step = float(np.sqrt(np.mean(np.square(np.diff(x, axis=1))))) if x.shape[1] > 1 else 0.0
    resolved = float(np.spacing(np.float32(largest)))
    if resolved > FINEST_PART * step > 0:
        origin = x.mean(axis=(0, 1)).round().tolist()
        advice = f"subtract an origin, {origin} say, from all positions"
        if float(np.spacing(np.float32(extent / 2))) > FINEST_PART * step:
            advice = "let data.subsample take fewer frames, which are farther apart"
        raise ValueError(
            f"{directory}: positions reach {largest:.8g}, where float32 resolves {resolved:g}, but "
            f"a step is {step:.3g} long; {advice}"
        )
    reads_places = getattr(config.model, "absolute_position", True)
    scale = getattr(config.model, "length_scale", None) if reads_places else None
    reached = float(np.quantile(np.abs(x), 0.99))
    if scale is not None and reached > LARGEST_POSITION * scale:
        raise ValueError(
            f"{directory}: positions reach {reached / scale:.3g} times model.length_scale = "
            f"{scale:g}, expected at most {LARGEST_POSITION:g} times; set model.length_scale to "
            f"about {_rounded(reached / 2)}"
        )
    reach = _reach(config)
    if reach is None:
        return
    key, widest, radius = reach
    if key == "model.grid_sizes" and widest > WIDEST_GRID * extent > 0:
        raise ValueError(
            f"{key}: expected at most four times the extent of the data, {extent:.4g}, "
            f"found {widest}"
        )
    if trajectories.boxes is not None:  # neighbours are there, through the walls
        return
    nearest = _nearest_neighbours(frames, mask)
    if nearest.size and radius < nearest.min():
        raise ValueError(
            f"{key}: expected some particles within reach of each other, found {widest:g}, while "
            f"nearest neighbours in {directory} are {nearest.min():.3g} or more apart, half of "
            f"them more than {np.median(nearest):.3g}"
        )


def _reach(config: ExperimentConfig) -> tuple[str, float, float] | None:
    """What decides how far a particle sees, what it says, and the distance."""
    if sizes := used_grid_sizes(config.model):
        return "model.grid_sizes", max(sizes), max(sizes) / 2
    cutoff = getattr(config.model, "cutoff", None)
    return ("model.cutoff", cutoff, cutoff) if cutoff else None


def _nearest_neighbours(frames: Array, mask: NDArray[np.bool_]) -> FloatArray:
    """Distances in some frames, spread over all simulations: of every particle, to the nearest."""
    found = [
        cKDTree(frame).query(frame, k=2)[0][:, 1]
        for simulation, real in list(zip(frames, mask, strict=True))[:20]
        for frame in simulation[:: max(1, len(simulation) // 10), real]
        if len(frame) > 1
    ]
    return np.concatenate(found) if found else np.zeros(0)


def _rounded(number: float) -> str:
    """To one digit."""
    return f"{float(f'{number:.0e}'):g}"
