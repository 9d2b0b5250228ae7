"""How far molecules are from the centre of a nanoparticle in forecasts (thesis, figure 16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import wasserstein_distance

from socialmd.data import FeatureLayout
from socialmd.evaluation import baseline_names
from socialmd.evaluation.transport import over_simulations
from socialmd.plots.style import curve_styles, finish_curves, new_row, shade_error
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.particle_transport import HEADING
from socialmd.reporting.tracks import Tracks, tracks
from socialmd.types import Array

__all__ = ["RadialDistributions"]

NUM_BINS = 25
LAST = 0.1  # of the steps, over which distributions are told
NEAR = 25  # per cent of the molecules are near at first

# === Words ===
CAPTION_OF_TABLE = """
Distances of molecules from the centre over the last tenth of the steps, in units of length: mean
with its standard error over simulations, and how far the distribution is from the truth's (earth
mover's distance). Stay: fraction of the quarter that is nearest to the centre in the last given
frame that is still as near at the end.
"""
CAPTION = """
Mean distance{{ of_whom }} from the centre over time (left; band: twice the standard error of the
truth over simulations) and its distribution over the last tenth of the steps (right). After the
thesis' figure 16, from forecasts.
"""


@register_measure
class RadialDistributions(Measure):
    """Distances of each kind of molecule from the centre, of data that have one.

    Numbers: `"radial_distributions"`, by kind and forecast, of the truth and of a sampled future
    too: `"mean"` and `"mean_error"` by step, `"bin_edges"` and `"density"` over the last tenth of
    the steps, `"last_mean"`, `"last_mean_error"`, `"distance_from_truth"` and `"stay"`.
    """

    name = "radial distributions"
    place = 68
    units: ClassVar = {"radial_distributions": "units of length"}
    absent: ClassVar = {"radial_distributions": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        settings = (forecasts.description.preprocessing or {}).get("settings", {})
        layout = forecasts.description.layout.given
        if settings.get("centre") is None or not layout.species:
            return None
        found: dict[str, dict[str, Any]] = {}
        for number, kind in enumerate(layout.species):
            distances = {
                name: _distances(each, layout, number) for name, each in tracks(evaluation).items()
            }
            truth = distances["truth"]
            if not len(truth[0]):
                continue
            low, high = _last(truth[0]).min(), _last(truth[0]).max()
            wide = high - low > 1e-6 * high  # or all are at one distance
            edges = np.linspace(low, high if wide else low + 1.0, NUM_BINS + 1)
            found[kind] = {name: _measure(each, truth, edges) for name, each in distances.items()}
        return {"radial_distributions": found}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, dict[str, Any]] = evaluation.numbers["radial_distributions"]
        keys = ("last_mean", "last_mean_error", "distance_from_truth", "stay")
        rows = [
            [f"{kind}: {name}", *(each[key] for key in keys)]
            for kind, by_name in found.items()
            for name, each in by_name.items()
        ]
        header = ["forecast", "distance", "±", "from the truth's", "stay"]
        pictures = []
        for number, (kind, by_name) in enumerate(found.items()):
            figure = _draw(by_name, evaluation.forecasts.spacing, kind)
            alt = f"Distances of {kind} from the centre over time, and their distribution"
            caption = fill(CAPTION, of_whom=f" of {kind}")
            pictures.append(figures.picture(figure, f"radial_{number}", caption, alt))
        table = Table(fill(CAPTION_OF_TABLE), header, rows)
        return [Section(HEADING, tables=[table], pictures=pictures)]


def _distances(each: Tracks, layout: FeatureLayout, kind: int) -> tuple[Array, Array, Array]:
    """Of every molecule of a kind, [M, T']; at the start, [M]; and its simulation, [M]."""
    positions, windows, _ = each
    chosen = windows.is_real & (layout.kinds(windows.inputs[:, -1]) == kind)
    dims = positions.shape[-1]
    paths = np.linalg.norm(np.moveaxis(positions, 2, 1)[chosen], axis=-1)
    start = np.linalg.norm(windows.inputs[:, -1, :, :dims][chosen], axis=-1)
    simulations = np.broadcast_to(windows.simulations[:, None], chosen.shape)[chosen]
    return paths, start, simulations


def _last(distances: Array) -> Array:
    """Over the last tenth of the steps, [M, steps]."""
    steps = distances.shape[1]
    return distances[:, steps - max(1, round(LAST * steps)) :]


def _measure(
    each: tuple[Array, Array, Array], truth: tuple[Array, Array, Array], edges: Array
) -> dict[str, Any]:
    distances, start, simulations = each
    mean, error = over_simulations(distances, simulations)
    last = _last(distances)
    last_mean, last_error = over_simulations(last.mean(axis=1), simulations)
    counts, _ = np.histogram(last, edges)
    density = counts / (last.size * np.diff(edges))  # of all, also of those that are elsewhere
    limit = np.percentile(truth[1], NEAR) * (1 + 1e-9)  # whoever stands there is near
    near = start <= limit
    return {
        "mean": mean.tolist(),
        "mean_error": None if error is None else error.tolist(),
        "bin_edges": edges.tolist(),
        "density": density.tolist(),
        "last_mean": float(last_mean),
        "last_mean_error": None if last_error is None else float(last_error),
        "distance_from_truth": float(wasserstein_distance(last.ravel(), _last(truth[0]).ravel())),
        "stay": float((last[near] <= limit).mean()),
    }


def _draw(by_name: Mapping[str, Any], spacing: float, kind: str) -> Figure:
    figure, (left, right) = new_row()
    styles = curve_styles(by_name, baseline_names())
    for name, each in by_name.items():
        mean = np.array(each["mean"])
        times = spacing * np.arange(1, len(mean) + 1)
        left.plot(times, mean, **styles[name])
        if name == "truth" and each["mean_error"] is not None:
            shade_error(left, times, mean, each["mean_error"], styles[name]["color"])
        right.stairs(each["density"], each["bin_edges"], **styles[name])
    true = by_name["truth"]
    low, high = min(true["mean"]), max(true["mean"])
    room = 2 * max(high - low, 0.05 * high)
    left.set_ylim(low - room, high + room)  # constant velocity leaves
    finish_curves(left, "time ahead (time units)", "distance (length units)", f"Mean, {kind}")
    right.set_ylim(0, 2 * max(true["density"]))
    label = "density (per length unit)"
    finish_curves(right, "distance (length units)", label, f"Distribution, {kind}")
    return figure
