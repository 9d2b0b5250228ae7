"""The density of one particle's next position, as in figure 12 of the thesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from socialmd.plots.style import (
    DENSITY_COLORS,
    FORECAST_COLOR,
    PAST_COLOR,
    TRUTH_COLOR,
    label_plane,
)

__all__ = ["plot_density"]


def plot_density(
    ax: Axes,
    density: ArrayLike,
    extent: tuple[float, float, float, float],
    past: ArrayLike,
    following: ArrayLike,
    means: ArrayLike | None = None,
    largest: float | None = None,
    title: str = "Density",
) -> AxesImage:
    """Density of a particle's next position as a colour gradient over the plane.

    Args:
        ax, title: axes, and what is written above them.
        density: [rows along y, columns along x], per unit of area; the colours follow its square
            root.
        extent: x_min, x_max, y_min, y_max of the density and of what is shown, in units of length.
        past: positions that the density is conditioned on, [T, 2], oldest first.
        following: true next positions, [S, 2].
        means: of the components of a mixture, [C, 2], if they are to be marked.
        largest: density that has the brightest colour, so that several axes share a colour bar;
            the image's maximum if none is given.

    Returns:
        The image, for a colour bar. What is drawn upon it has labels for a legend.

    Raises:
        ValueError: the density is no image, or has numbers that are negative or not finite.

    Example:
        >>> figure, ax = new_figure(5, 5)
        >>> image = plot_density(ax, density, (-2, 2, -2, 2), past, following)
        >>> figure.colorbar(image, label="density (per unit of area)")
    """
    density = np.asarray(density, float)
    if density.ndim != 2 or not density.size:
        raise ValueError(f"density: expected an image [rows, columns], found shape {density.shape}")
    if not (np.isfinite(density) & (density >= 0)).all():
        raise ValueError("density: expected finite numbers of at least 0, found others")
    image = ax.imshow(
        density,
        origin="lower",
        extent=extent,
        cmap=DENSITY_COLORS,
        norm=PowerNorm(0.5, vmin=0.0, vmax=density.max() if largest is None else largest),
        interpolation="bilinear",
    )
    edge: dict[str, Any] = {"edgecolors": DENSITY_COLORS(0.0), "linewidths": 0.5}
    x, y = np.transpose(following)
    ax.scatter(x, y, s=7, c=TRUTH_COLOR, label="true next positions", **edge)
    x, y = np.transpose(past)
    ax.plot(x, y, color=PAST_COLOR, marker="o", markersize=5, label="given positions")
    ax.scatter(x[-1:], y[-1:], s=70, c=PAST_COLOR, zorder=3, label="last given position", **edge)
    if means is not None:
        x, y = np.transpose(means)
        marker: dict[str, Any] = {"s": 60, "c": FORECAST_COLOR, "marker": "X", "zorder": 4}
        ax.scatter(x, y, label="means of the Gaussians", **marker, **edge)
    label_plane(ax)
    ax.set(xlim=extent[:2], ylim=extent[2:], title=title)
    return image
