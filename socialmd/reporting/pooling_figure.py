"""Stacked state pooling around one particle of a data set."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from socialmd.config import ModelConfig
from socialmd.data import Windows
from socialmd.evaluation import NotPossibleError
from socialmd.layers import StackedStatePooling
from socialmd.layers.grid import find_neighbours
from socialmd.plots import plot_stacked_grids
from socialmd.reporting.drawing import Drawing

__all__ = ["draw_pooling"]

SIDE = 4.6  # inches, of one grid


def draw_pooling(config: ModelConfig, windows: Windows) -> Drawing:
    """Figure 8 of the thesis: the grids of one particle, at the last frame that is given.

    Args:
        config: the model's grids.
        windows: of which one particle is chosen.

    Returns:
        The figure, one panel for each grid.

    Raises:
        NotPossibleError: the model has no grids, or no particle has a neighbour on the smallest.

    Example:
        >>> config = load("acceleration").experiment
        >>> windows = read_windows("data/monopoles", "test", config.data)
        >>> draw_pooling(config.model, windows).figure.savefig("pooling.png")
    """
    sizes, circles = config.grid_sizes, config.distance_filter
    if not sizes:
        raise NotPossibleError("the model has no grids")
    frames = windows.inputs[:, -1, :, :2]  # [W, N, 2]
    mask = np.ones(frames.shape[:2], bool) if windows.mask is None else windows.mask
    _, neighbours = find_neighbours(frames, [min(sizes)], circles, mask)
    near = np.asarray(neighbours).sum(axis=(2, 3)) * mask  # [W, N]
    if not near.any():
        raise NotPossibleError("no particle has a neighbour on its smallest grid")
    window, particle = np.unravel_index(near.argmax(), near.shape)
    # Real particles come first: leaving the padded ones away renumbers none.
    frame = frames[window][mask[window]]
    ones = np.ones((1, len(frame), 1), "float32")
    layers = [StackedStatePooling([side], config.grid_cells, circles) for side in sizes]
    counts = [np.asarray(layer(frame[None], ones))[0, particle, ..., 0] for layer in layers]

    rows, columns = -(-len(sizes) // 2), min(len(sizes), 2)
    size = (SIDE * columns + 0.8, SIDE * rows + 0.9)
    figure = Figure(size, layout="constrained", dpi=150)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[len(sizes) :]:
        empty.set_axis_off()
    offsets = np.delete(frame - frame[particle], particle, axis=0)
    image = plot_stacked_grids(axes[: len(sizes)], offsets, counts, sizes, circles)
    ticks = np.arange(1, np.max(counts) + 1)
    figure.colorbar(image, ax=axes, ticks=ticks, label="neighbours in a cell", shrink=0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Drawing(
        figure,
        f"particle with the most neighbours on its smallest grid, in {len(frames)} frames",
        f"Stacked state pooling on {len(sizes)} grids of {config.grid_cells} x {config.grid_cells} "
        "cells: the states of the neighbours on each are summed by cell, and the grids are added. "
        f"Particle {particle} of test simulation {windows.simulations[window]}.",
    )
