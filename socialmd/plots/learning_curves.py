"""Curves over the epochs of trainings, as in figures 26 to 28 of the thesis."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter, SymmetricalLogLocator
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import FORECAST_COLOR, REFERENCE_COLORS

__all__ = ["plot_learning_curves", "plot_losses"]

MIN_EPOCHS = 4  # of fewer, every one is shown


def plot_learning_curves(
    ax: Axes,
    curves: Mapping[str, ArrayLike],
    label: str,
    baselines: Mapping[str, float] | None = None,
) -> None:
    """One quantity by epoch: a thin line for each seed and a thick one for the mean of the seeds.

    Args:
        ax: where to draw.
        curves: name of the network -> [seeds, epochs]; the first is drawn in the model's colour.
        label: what to write at the vertical axis, with units.
        baselines: name -> value that does not depend on the epoch, drawn as a horizontal line.

    Raises:
        ValueError: a curve is not of that shape.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> curves = {"stacked": [[2.0, 1.0], [2.2, 0.9]], "mono-grid": [[2.5, 1.5]]}
        >>> plot_learning_curves(ax, curves, "validation NLL (nats)")
    """
    colors = cycle(REFERENCE_COLORS[1:])  # the first one is for baselines
    for index, (name, values) in enumerate(curves.items()):
        losses = np.asarray(values, float)  # [seeds, epochs]
        if losses.ndim != 2 or losses.size == 0:
            raise ValueError(f"{name}: expected curves [seeds, epochs], found shape {losses.shape}")
        color = next(colors) if index else FORECAST_COLOR
        epochs = np.arange(1, losses.shape[1] + 1)
        ax.plot(epochs, losses.T, color=color, linewidth=0.7, alpha=0.6)
        ax.plot(epochs, losses.mean(axis=0), color=color, linewidth=2.2, marker=".", label=name)
    for name, value in (baselines or {}).items():
        ax.axhline(value, color=REFERENCE_COLORS[0], linestyle="--", linewidth=1.2, label=name)
    _finish_epochs(ax, label)
    ax.legend(fontsize=8, title="seeds thin, their mean thick", title_fontsize=8)


def plot_losses(
    ax: Axes,
    history: Mapping[str, ArrayLike],
    key: str = "loss",
    label: str = "NLL (nats)",
    scale: str = "linear",
) -> None:
    """Training and validation curve of one quantity; the best validation epoch is marked.

    Phases of a training have losses of their own: curves are broken between them, and the best
    epoch is that of the last one. Where the first epochs are far above all others, they leave the
    frame, in which the others could not be told apart.

    Args:
        ax: where to draw.
        history: one value per epoch for `key` and `val_` + `key`, as Keras records them, and for
            `phase`, if there are several.
        key: quantity, `"loss"` or a metric's name.
        label, scale: of the vertical axis: words with units, and a scale of Matplotlib.

    Raises:
        ValueError: the history lacks the quantity.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_losses(ax, model.fit(train, validation_data=validation).history)
    """
    for name in (key, f"val_{key}"):
        if name not in history:
            raise ValueError(f"history: expected {name!r}, found {sorted(history)}")
    train, validation = (np.asarray(history[name], float) for name in (key, f"val_{key}"))
    epochs = np.arange(1, len(train) + 1)
    later = np.flatnonzero(np.diff(history.get("phase", []))) + 1  # phases but the first begin
    last = later[-1] if len(later) else 0
    best = last + int(np.argmin(validation[last:]))
    for start in later:
        ax.axvline(start + 0.5, color="gray", linestyle=":", linewidth=1)
    for curve, color, name in (
        (train, REFERENCE_COLORS[0], "training"),
        (
            validation,
            FORECAST_COLOR,
            f"validation (best {validation[best]:.3g}, epoch {epochs[best]})",
        ),
    ):
        broken = (np.insert(each.astype(float), later, np.nan) for each in (epochs, curve))
        ax.plot(*broken, marker=".", color=color, label=name)
    ax.scatter(epochs[best], validation[best], s=60, facecolors="none", edgecolors=FORECAST_COLOR)
    if scale == "symlog":
        ax.set_yscale(scale, linthresh=1.0, linscale=0.5)
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    else:
        ax.set_yscale(scale)
    _show_later_epochs(ax, np.stack([train, validation]))
    _finish_epochs(ax, "loss of each phase" if key == "loss" and len(later) else label)
    ax.legend(fontsize=8)


def _finish_epochs(ax: Axes, label: str) -> None:
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set(xlabel="epoch", ylabel=label)
    ax.grid(alpha=0.25)


def _show_later_epochs(ax: Axes, curves: NDArray[np.floating]) -> None:
    """Limit the vertical axis to what curves [2, epochs] reach after a tenth of the epochs."""
    later = curves[:, -(-curves.shape[1] // 10) :]
    later = later[np.isfinite(later)]
    if curves.shape[1] < MIN_EPOCHS or later.size == 0:
        return
    low, high = later.min(), later.max()
    if np.nanmax(curves) > high + 2 * (high - low):
        margin = 0.15 * (high - low)
        ax.set_ylim(low - margin, high + 4 * margin)
        look: dict[str, Any] = {"va": "top", "fontsize": 7, "color": "gray"}
        ax.annotate("first epochs above", (0.02, 0.98), xycoords="axes fraction", **look)
