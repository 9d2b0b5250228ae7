"""The structure of a fluid in forecasts: pair distribution functions, neighbours, overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from socialmd.data import FeatureLayout
from socialmd.evaluation import NotPossibleError, baseline_names
from socialmd.evaluation.transport import over_simulations
from socialmd.molecular.pair_distribution import PairDistribution, pair_distribution
from socialmd.periodic_box import smallest_width
from socialmd.plots.style import curve_styles, finish_curves, new_figure
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.particle_transport import ALL, HEADING
from socialmd.reporting.tracks import Tracks, late_frames, tracks, wide_if_true
from socialmd.types import Array

__all__ = ["PairStructure"]

MOST_WINDOWS, MOST_FRAMES = 60, 6  # of each, what is measured
SIDE = 4.2  # of a panel, in inches

# === Words ===
CAPTION_OF_TABLE = """
Pair distribution functions over the last half of the steps. Deviation: mean of |g(r) of a window -
g of the truth| over all distances and kinds of pairs, with the standard error over simulations; the
truth's own is that of one window from all. Neighbours:
within {{ contact }} units of length, up to the first minimum of the truth's g(r) of all pairs; in
contact: fraction of particles that have any. Overlaps: pairs of particles nearer than any two in
the truth, by all pairs in contact.
"""
CAPTION = """
Pair distribution functions, by how much likelier than without order two particles of such kinds are
that far apart, over the last half of the steps. A forecast that knows no neighbours fills the hole
at short distances.
"""


@register_measure
class PairStructure(Measure):
    """g(r) between species, of particles in periodic boxes.

    Numbers: `"pair_structure"`: `"distances"`, `"pairs"` by names of two kinds and forecast, and by
    forecast `"deviation"`, `"deviation_error"`, `"neighbours"`, `"in_contact"`, `"overlaps"`;
    `"contact_distance"`.
    """

    name = "pair structure"
    place = 65
    units: ClassVar = {"pair_structure": "distances: units of length"}
    absent: ClassVar = {"pair_structure": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        windows = evaluation.forecasts.windows
        if windows.boxes is None or windows.truth.shape[2] < 2:
            return None
        if windows.mask is not None:
            raise NotPossibleError("expected equally many particles in all simulations")
        layout = evaluation.forecasts.description.layout.given
        # One for all: half of the narrowest box.
        measure = partial(_by_window, layout=layout, reach=smallest_width(windows.boxes) / 2)
        try:
            found = {name: measure(each) for name, each in tracks(evaluation).items()}
        except ModuleNotFoundError as error:
            raise NotPossibleError(str(error)) from error
        return {"pair_structure": _summarize(found, windows.truth.shape[-1])}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found = evaluation.numbers["pair_structure"]
        keys = ("deviation", "deviation_error", "neighbours", "in_contact", "overlaps")
        rows = [[name, *(found[key][name] for key in keys)] for name in found["deviation"]]
        caption = fill(CAPTION_OF_TABLE, contact=f"{found['contact_distance']:.3g}")
        header = ["forecast", "deviation of g(r)", "±", "neighbours", "in contact", "overlaps"]
        alt = "Pair distribution functions of truth and forecasts"
        picture = figures.picture(_draw(found), "pair_structure", fill(CAPTION), alt)
        return [Section(HEADING, tables=[Table(caption, header, rows)], pictures=[picture])]


def _by_window(
    each: Tracks, layout: FeatureLayout, reach: float
) -> tuple[list[PairDistribution], Array]:
    """g(r) of some windows, each over some frames of the last half; and their simulations."""
    positions, windows, boxes = each
    assert boxes is not None
    chosen, frames = late_frames(each, MOST_WINDOWS, MOST_FRAMES)
    kinds = np.array(layout.species or (ALL,))[layout.kinds(windows.inputs[:, -1])]
    found = [
        pair_distribution(positions[w, frames], boxes[w, frames], kinds[w], reach) for w in chosen
    ]
    return found, windows.simulations[chosen]


def _summarize(
    found: Mapping[str, tuple[Sequence[PairDistribution], Array]], dims: int
) -> dict[str, Any]:
    """Means over simulations of all that is measured in windows."""
    truth, simulations = found["truth"]
    distances = truth[0].distances
    kinds = sorted({pair for each in truth for pair in each.pairs})
    mean = {
        name: {
            pair: over_simulations(
                np.stack([each.pairs[pair] for each in windows if pair in each.pairs]),
                [s for each, s in zip(windows, groups, strict=True) if pair in each.pairs],
            )[0]
            for pair in kinds
            if any(pair in each.pairs for each in windows)
        }
        for name, (windows, groups) in found.items()
    }
    of_all = over_simulations(np.stack([each.neighbours for each in truth]), simulations)[0]
    shells = np.diff(of_all, prepend=0.0)
    contact = _first_minimum(shells / distances ** (dims - 1))
    nearest = int(np.argmax(shells > 0))
    result: dict[str, Any] = {
        "distances": distances.tolist(),
        "contact_distance": float(distances[contact]),
        "pairs": {
            " ".join(pair): {n: each[pair].tolist() for n, each in mean.items() if pair in each}
            for pair in kinds
        },
    }
    keys = ("deviation", "deviation_error", "neighbours", "in_contact", "overlaps")
    result |= {key: {} for key in keys}
    for name, (windows, groups) in found.items():
        deviations = [
            np.mean([np.abs(g - mean["truth"][pair]).mean() for pair, g in each.pairs.items()])
            for each in windows
        ]
        deviation, error = over_simulations(np.array(deviations), groups)
        neighbours = over_simulations(np.stack([e.neighbours for e in windows]), groups)[0]
        near = neighbours[contact] or 1.0
        result["deviation"][name] = float(deviation)
        result["deviation_error"][name] = None if error is None else float(error)
        result["neighbours"][name] = float(neighbours[contact])
        touching = over_simulations(np.stack([e.in_contact for e in windows]), groups)[0]
        result["in_contact"][name] = float(touching[contact])
        result["overlaps"][name] = float((neighbours[nearest - 1] if nearest else 0.0) / near)
    return result


def _first_minimum(g: Array) -> int:
    """Index of the first minimum after the first peak, that is at least half as high as any."""
    peak = int(np.argmax(g >= g.max() / 2))
    while peak + 1 < len(g) and g[peak + 1] >= g[peak]:
        peak += 1
    rising = np.flatnonzero(np.diff(g[peak:]) > 0)
    return peak + int(rising[0]) if rising.size else len(g) - 1


def _draw(found: Mapping[str, Any]) -> Figure:
    pairs = found["pairs"]
    figure, axes = new_figure(SIDE * len(pairs) + 1, SIDE, columns=len(pairs))
    for ax, (pair, by_name) in zip(np.atleast_1d(axes), pairs.items(), strict=True):
        styles = curve_styles(by_name, baseline_names())
        for name, g in by_name.items():
            ax.plot(found["distances"], g, **{**styles[name], **wide_if_true(name)})
        ax.set_ylim(0, 1.5 * max(by_name["truth"]))
        finish_curves(ax, "distance (length units)", "g(r)", pair)
    return figure
