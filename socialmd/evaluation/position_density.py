"""Predicted density of particles on a grid of pixels, for pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["position_density"]

MAX_DENSITIES = 2**20  # evaluated at once


def position_density(
    distribution: Any, extent: tuple[float, float, float, float], pixels: int = 160
) -> NDArray[np.float32]:
    """Density of all particles together, averaged over the predicted steps.

        density(x) = 1/T' sum_t sum_i p_ti(x)

    Args:
        distribution: predicted positions of one system, batch shape [T', N], event shape [2];
            anything with `prob`, as TensorFlow Probability has it.
        extent: x_min, x_max, y_min, y_max, in units of length.
        pixels: along each side.

    Returns:
        [rows along y, columns along x], per unit of area; its integral is N where all of the
        density lies within the extent.

    Example:
        >>> parameters = model(inputs)[0]  # one system: [T', N, P]
        >>> density = position_density(model.distribution(parameters), (-4, 4, -4, 4))
    """
    x_min, x_max, y_min, y_max = extent
    centres = np.arange(pixels, dtype="float32") + 0.5
    x = x_min + centres * (x_max - x_min) / pixels
    y = y_min + centres * (y_max - y_min) / pixels
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 1, 1, 2)
    # In parts: all densities at once would fill the memory.
    components = int(np.prod(distribution.batch_shape))
    parts = np.array_split(points, -(-len(points) * components // MAX_DENSITIES))
    density = [np.asarray(distribution.prob(part)).sum(-1).mean(-1) for part in parts]
    return np.concatenate(density).reshape(pixels, pixels)
