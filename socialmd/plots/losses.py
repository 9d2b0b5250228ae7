"""Losses over the epochs of a training, as in figure 28 of the thesis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter, SymmetricalLogLocator
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import FORECAST_COLOR, REFERENCE_COLORS

__all__ = ["plot_losses"]

MIN_EPOCHS = 4  # of fewer, every one is shown


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
        label: what to write at the vertical axis, with units.
        scale: of the vertical axis, as Matplotlib names them.

    Raises:
        ValueError: the history lacks the quantity.

    Example:
        >>> figure, ax = new_figure(5, 4)
        >>> plot_losses(ax, model.fit(train, validation_data=validation).history)
    """
    for name in (key, f"val_{key}"):
        if name not in history:
            raise ValueError(f"history: expected {name!r}, found {sorted(history)}")
    train = np.asarray(history[key], float)
    validation = np.asarray(history[f"val_{key}"], float)
    epochs = np.arange(1, len(train) + 1)
    later = (
        np.flatnonzero(np.diff(history.get("phase", []))) + 1
    )  # where phases but the first begin

    def broken(values: ArrayLike) -> NDArray[np.floating]:
        return np.insert(np.asarray(values, float), later, np.nan)

    for start in later:
        ax.axvline(start + 0.5, color="gray", linestyle=":", linewidth=1)
    ax.plot(broken(epochs), broken(train), marker=".", color=REFERENCE_COLORS[0], label="training")
    last = later[-1] if len(later) else 0
    best = last + int(np.argmin(validation[last:]))
    label_of_best = f"validation (best {validation[best]:.3g}, epoch {epochs[best]})"
    ax.plot(
        broken(epochs), broken(validation), marker=".", color=FORECAST_COLOR, label=label_of_best
    )
    ax.scatter(epochs[best], validation[best], s=60, facecolors="none", edgecolors=FORECAST_COLOR)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss of each phase" if key == "loss" and len(later) else label)
    if scale == "symlog":
        ax.set_yscale(scale, linthresh=1.0, linscale=0.5)
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1, subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    else:
        ax.set_yscale(scale)
    _show_later_epochs(ax, np.stack([train, validation]))
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8)


def _show_later_epochs(ax: Axes, curves: NDArray[np.floating]) -> None:
    """Limit the vertical axis to what all but the first tenth of the epochs reach.

    Args:
        ax: with the curves drawn.
        curves: [2, epochs].
    """
    skipped = -(-curves.shape[1] // 10)
    later = curves[:, skipped:]
    later = later[np.isfinite(later)]
    if curves.shape[1] < MIN_EPOCHS or later.size == 0:
        return
    low, high = later.min(), later.max()
    if np.nanmax(curves) > high + 2 * (high - low):
        margin = 0.15 * (high - low)
        ax.set_ylim(low - margin, high + 4 * margin)
        ax.annotate(
            "first epochs above",
            (0.02, 0.98),
            xycoords="axes fraction",
            va="top",
            fontsize=7,
            color="gray",
        )
