"""Density waves of a fluid in forecasts: the structure factor, which scattering measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from socialmd.evaluation import NotPossibleError, baseline_names
from socialmd.evaluation.transport import over_simulations
from socialmd.molecular.structure_factor import structure_factor
from socialmd.periodic_box import smallest_width
from socialmd.plots.style import curve_styles, finish_curves, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.particle_transport import HEADING
from socialmd.reporting.tracks import Tracks, late_frames, tracks, wide_if_true
from socialmd.types import Array, FloatArray

__all__ = ["StructureFactors"]

MOST_WINDOWS, MOST_FRAMES = 30, 3  # of each, what is measured
MOST_PARTICLES = 1000  # time grows with the square of their number
SHORTEST = 0.4  # wave, in units of the mean spacing of particles: past the second peak of a liquid

# === Words ===
CAPTION_OF_TABLE = """
Structure factor of all particles over the last half of the steps. Longest waves: its mean over
waves as long as the box is wide between its nearest faces, which says how compressible a fluid is;
peak: its highest value, and where (1 / length units). Deviation: mean of |S(k) of a window - S of
the truth| over all k, with the standard error over simulations; the truth's own is that of one
window from all.
"""
CAPTION = """
Structure factor of all particles over the last half of the steps, what X rays and neutrons see of a
fluid of such spheres. Its peak belongs to shells of neighbours.
"""


@register_measure
class StructureFactors(Measure):
    """S(k) of particles in periodic boxes in space.

    Numbers: `"structure_factors"`: `"wave_numbers"`; by forecast, of the truth and of a sampled
    future too, `"values"`, `"deviation"` and `"deviation_error"`.
    """

    name = "structure factors"
    place = 66
    units: ClassVar = {"structure_factors": "wave_numbers: 1 / length units"}
    absent: ClassVar = {"structure_factors": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        windows = evaluation.forecasts.windows
        if windows.boxes is None or windows.truth.shape[-1] != 3:
            return None
        if windows.mask is not None:
            raise NotPossibleError("expected equally many particles in all simulations")
        if (count := windows.truth.shape[2]) > MOST_PARTICLES:
            raise NotPossibleError(f"expected at most {MOST_PARTICLES} particles, found {count}")
        measure = partial(_by_window, edges=_wave_numbers(windows.boxes, count))
        found = {name: measure(each) for name, each in tracks(evaluation).items()}
        return {"structure_factors": _summarize(found)}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found = evaluation.numbers["structure_factors"]
        k = found["wave_numbers"]
        rows = []
        for name, s in found["values"].items():
            peak = int(np.argmax(s))
            deviation = found["deviation"][name], found["deviation_error"][name]
            rows.append([name, s[0], s[peak], k[peak], *deviation])
        header = ["forecast", "longest waves", "peak", "at", "deviation of S(k)", "±"]
        figure = _draw(found)
        alt = "Structure factors of truth and forecasts"
        picture = figures.picture(figure, "structure_factors", fill(CAPTION), alt)
        table = Table(fill(CAPTION_OF_TABLE), header, rows)
        return [Section(HEADING, tables=[table], pictures=[picture])]


def _wave_numbers(boxes: Array, count: int) -> tuple[float, float, int]:
    """Ends and number of bins half as wide as the longest waves are apart."""
    width = np.pi / smallest_width(boxes)
    spacing = (np.abs(np.linalg.det(boxes)).min() / count) ** (1 / 3)
    bins = max(4, int(2 * np.pi / (SHORTEST * spacing) / width))
    return 1.5 * width, (1.5 + bins) * width, bins


def _by_window(each: Tracks, edges: tuple[float, float, int]) -> tuple[Array, FloatArray, Array]:
    """Middles of bins, S(k) of some windows, [windows, bins], and their simulations."""
    assert each.boxes is not None
    chosen, frames = late_frames(each, MOST_WINDOWS, MOST_FRAMES)
    found = [
        structure_factor(each.positions[w, frames], each.boxes[w, frames], *edges) for w in chosen
    ]
    values = np.stack([one.values for one in found])
    return found[0].wave_numbers, values, each.windows.simulations[chosen]


def _summarize(found: Mapping[str, tuple[Array, FloatArray, Array]]) -> dict[str, Any]:
    """Means over simulations, of bins that have waves in all windows."""
    some = np.all([np.isfinite(values).all(axis=0) for _, values, _ in found.values()], axis=0)
    middles = found["truth"][0][some]
    mean = {name: over_simulations(s[:, some], groups)[0] for name, (_, s, groups) in found.items()}
    result: dict[str, Any] = {
        "wave_numbers": middles.tolist(),
        "values": {name: s.tolist() for name, s in mean.items()},
        "deviation": {},
        "deviation_error": {},
    }
    for name, (_, values, groups) in found.items():
        each = np.abs(values[:, some] - mean["truth"]).mean(axis=1)
        deviation, error = over_simulations(each, groups)
        result["deviation"][name] = float(deviation)
        result["deviation_error"][name] = None if error is None else float(error)
    return result


def _draw(found: Mapping[str, Any]) -> Figure:
    figure, [ax] = new_row(1)
    styles = curve_styles(found["values"], baseline_names())
    for name, s in found["values"].items():
        ax.plot(found["wave_numbers"], s, **{**styles[name], **wide_if_true(name)})
    ax.set_ylim(0, 1.5 * max(found["values"]["truth"]))
    finish_curves(ax, "wave number (1 / length units)", "S(k)", "Structure factor")
    return figure
