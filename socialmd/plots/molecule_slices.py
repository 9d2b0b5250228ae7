"""Molecules of a nanoparticle: radial distributions and slices (thesis figures 16 and 18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from socialmd.plots.style import curve_styles, finish_curves

__all__ = [
    "plot_flattened_slice",
    "plot_radial_counts",
    "plot_radial_means",
    "plot_slice_edge_on",
    "plot_slice_in_space",
]

OTHERS_COLOR = "#b4bfc8"
PLANE_COLOR = "#1f6f8b"
CENTRE_COLOR = "#e0a030"  # gold


def _oblique_view(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Columns: rightwards, upwards and towards the eye of who looks from these angles, [3, 3]."""
    (c, s), (ce, se) = ((np.cos(angle), np.sin(angle)) for angle in (azimuth, elevation))
    return np.array([[-s, -se * c, ce * c], [c, -se * s, ce * s], [0.0, ce, se]])


VIEW = _oblique_view(azimuth=np.radians(-60), elevation=np.radians(25))


def plot_radial_means(
    ax: Axes,
    times: ArrayLike,
    mean: Mapping[str, ArrayLike],
    spread: Mapping[str, ArrayLike],
    time_unit: str,
    title: str = "Mean distance from the centre",
) -> None:
    """Mean distance of each kind of molecule from the centre over time, in a band of its spread.

    Args:
        ax, title: axes, and what is written above them.
        times: of the frames, in `time_unit`, [frames].
        mean, spread: in angstrom, by name of the molecules, [frames]; the band is twice as wide as
            the spread.
        time_unit: for the axis.

    Example:
        >>> plot_radial_means(ax, np.arange(300), radial.mean, radial.spread, "nanosecond")
    """
    t = np.asarray(times, float)
    for name, style in curve_styles(mean).items():
        centre, width = np.asarray(mean[name], float), np.asarray(spread[name], float)
        ax.plot(t, centre, **style)
        ends = centre - width, centre + width
        ax.fill_between(t, *ends, color=style["color"], alpha=0.15, linewidth=0)
    ax.margins(x=0)
    finish_curves(ax, f"time ({time_unit})", "distance (angstrom)", title)


def plot_radial_counts(
    ax: Axes,
    bin_edges: ArrayLike,
    first: Mapping[str, ArrayLike],
    last: Mapping[str, ArrayLike],
    title: str = "Distances from the centre",
) -> None:
    """Histograms of the distances at the first frame (dashed) and at the last one (filled).

    Args:
        ax, title: axes, and what is written above them.
        bin_edges: in angstrom, [bins + 1].
        first, last: molecules in each bin, by name, [bins].

    Example:
        >>> first, last = ({n: c[k] for n, c in radial.counts.items()} for k in (0, -1))
        >>> plot_radial_counts(ax, radial.bin_edges, first, last)
    """
    edges = np.asarray(bin_edges, float)
    for name, style in curve_styles(first).items():
        before, after = np.asarray(first[name], float), np.asarray(last[name], float)
        look: dict[str, Any] = {"edges": edges, "color": style["color"]}
        ax.stairs(before, **look, linestyle="--", linewidth=1.2, label=f"{name}, first frame")
        ax.stairs(after, **look, alpha=0.2, fill=True)
        ax.stairs(after, **look, linewidth=1.8, label=f"{name}, last frame")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
    finish_curves(ax, "distance (angstrom)", "molecules", title)


def plot_slice_in_space(
    ax: Axes, positions: ArrayLike, chosen: ArrayLike, names: ArrayLike, normal: ArrayLike
) -> None:
    """All molecules and the plane of a slice through the centre, seen obliquely from above.

    Molecules behind the plane are drawn before it, those in front of it after it.

    Args:
        ax: where to draw.
        positions: in angstrom, [N, 3].
        chosen: whether each belongs to the slice and is coloured, [N] bool.
        names: of the N molecules.
        normal: of the plane, [3].

    Example:
        >>> plot_slice_in_space(ax, positions[0], chosen, names, normal=[0.0, 0.0, 1.0])
    """
    x, n = np.asarray(positions, float), np.asarray(normal, float)
    n = n / np.linalg.norm(n)
    reach = 1.1 * np.linalg.norm(x, axis=1).max()
    across = np.cross(n, np.eye(3)[np.argmin(np.abs(n))])
    across /= np.linalg.norm(across)
    angle = np.linspace(0, 2 * np.pi, 72)
    rim = np.outer(np.cos(angle), across) + np.outer(np.sin(angle), np.cross(n, across))
    ax.fill(*(reach * rim @ VIEW[:, :2]).T, color=PLANE_COLOR, alpha=0.3, linewidth=0, zorder=2)
    for axis, (right, up) in zip("xyz", reach * VIEW[:, :2], strict=True):
        ax.plot([0, right], [0, up], color="black", linewidth=0.8)
        ax.text(1.07 * right, 1.07 * up, axis, ha="center", va="center")
    behind = (x @ n) * (VIEW[:, 2] @ n) < 0
    _draw_molecules(ax, x @ VIEW[:, :2], chosen, names, behind)
    _finish_view(ax, 1.15 * reach, "seen obliquely (angstrom)", "angstrom")
    ax.set_title("Molecules near a plane through the centre")


def plot_slice_edge_on(
    ax: Axes, positions: ArrayLike, chosen: ArrayLike, names: ArrayLike, half_thickness: float
) -> None:
    """All molecules after the plane was turned to be horizontal, seen from its edge.

    Arguments are those of `plot_slice_in_space`, z across the plane, and half the slice's thickness
    in angstrom.
    """
    x = np.asarray(positions, float)
    ax.axhspan(-half_thickness, half_thickness, color=PLANE_COLOR, alpha=0.3, linewidth=0)
    _draw_molecules(ax, x[:, [0, 2]], chosen, names)
    _finish_view(ax, 1.05 * np.abs(x).max(), "x (angstrom)", "distance from the plane (angstrom)")
    ax.set_title(f"Turned, seen from the edge: ±{half_thickness:g} angstrom")


def plot_flattened_slice(
    ax: Axes, positions: ArrayLike, chosen: ArrayLike, names: ArrayLike
) -> None:
    """The molecules of the slice in its plane, seen from above.

    Arguments are those of `plot_slice_in_space`, z across the plane.
    """
    x = np.asarray(positions, float)
    _draw_molecules(ax, x[:, :2], chosen, names, others=False)
    _finish_view(ax, 1.05 * np.abs(x).max(), "x (angstrom)", "y (angstrom)")
    ax.set_title(f"Flattened, seen from above: {np.sum(chosen)} molecules")


def _draw_molecules(
    ax: Axes,
    points: Any,
    chosen: ArrayLike,
    names: ArrayLike,
    behind: Any = False,
    others: bool = True,
) -> None:
    """Dots [N, 2], the chosen ones in the colours of their names; some behind what is there."""
    kinds, inside = np.asarray(names), np.asarray(chosen, bool)
    groups = [("not in the slice", OTHERS_COLOR, ~inside, 12)] if others else []
    for name, style in curve_styles(sorted(set(kinds))).items():
        groups.append((name, style["color"], inside & (kinds == name), 32))
    for label, color, group, size in groups:
        for part, zorder in ((group & behind, 1.5), (group & ~np.asarray(behind), 3)):
            x, y = points[part].T
            ax.scatter(x, y, color=color, s=size, linewidths=0, zorder=zorder)
        ax.scatter([], [], color=color, s=size, linewidths=0, label=label)
    ax.scatter(0, 0, color=CENTRE_COLOR, s=70, marker="*", label="centre", zorder=4)


def _finish_view(ax: Axes, reach: float, xlabel: str, ylabel: str) -> None:
    limits = (-reach, reach)
    ax.set(xlim=limits, ylim=limits, xlabel=xlabel, ylabel=ylabel, aspect="equal", axisbelow=True)
    ax.grid(alpha=0.25)
