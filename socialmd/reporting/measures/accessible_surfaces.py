"""How much of its surface each molecule of a nanoparticle shows to a solvent, in forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from socialmd.data import DatasetDescription, FeatureLayout
from socialmd.data.windows import evenly_spread
from socialmd.evaluation import NotPossibleError, baseline_names
from socialmd.evaluation.transport import over_simulations
from socialmd.molecular.accessible_surface import accessible_surface
from socialmd.plots.style import curve_styles, finish_curves, new_row, shade_error
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.particle_transport import HEADING
from socialmd.reporting.tracks import Tracks, tracks
from socialmd.types import Array, FloatArray, IntArray

__all__ = ["AccessibleSurfaces"]

MOST_WINDOWS, MOST_FRAMES = 40, 20  # of each, what is measured

# === Words ===
CAPTION_OF_TABLE = """
Surface of a molecule that the centre of a water molecule reaches, in squared units of length, in
the last step; and how far that of each molecule is from the truth's, as a mean absolute error; with
standard errors over simulations. Each molecule is one ball, the uniform one that has its radius of
gyration (of radius {{ radii }}). Only other molecules cover it: where core and chains are, these
data do not say.
"""
CAPTION = """
Accessible surface of a molecule over time (band: twice the standard error of the truth over
simulations), as in the table. What hides, drugs near the core, say, has less of it.
"""


@register_measure
class AccessibleSurfaces(Measure):
    """Solvent accessible surface (SASA) of molecules around a core, of each kind.

    Numbers: `"accessible_surfaces"`: `"radii"` by kind; `"steps"`, counted from 1; and `"kinds"`,
    by kind and forecast, of the truth and of a sampled future too: `"mean"` and `"mean_error"` by
    step, and in the last step `"absolute_error"` and `"absolute_error_error"`.
    """

    name = "accessible surfaces"
    place = 69
    units: ClassVar = {"accessible_surfaces": "squared units of length"}
    absent: ClassVar = {"accessible_surfaces": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        radii = _radii(forecasts.description)
        if forecasts.spatial_dims != 3 or forecasts.windows.boxes is not None or not radii:
            return None
        steps = evenly_spread(forecasts.windows.truth.shape[1], MOST_FRAMES)
        layout = forecasts.description.layout.given
        sizes = np.array([*radii.values()])
        measure = partial(_by_window, layout=layout, radii=sizes, steps=steps)
        try:
            found = {name: measure(each) for name, each in tracks(evaluation).items()}
        except ModuleNotFoundError as error:
            raise NotPossibleError(str(error)) from error
        kinds: dict[str, dict[str, Any]] = {}
        for number, kind in enumerate(radii):
            for name, surfaces in found.items():
                if (chosen := surfaces.kinds == number).any():
                    kinds.setdefault(kind, {})[name] = _measure(surfaces, chosen)
        result = {"radii": radii, "steps": (steps + 1).tolist(), "kinds": kinds}
        return {"accessible_surfaces": result}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found = evaluation.numbers["accessible_surfaces"]
        rows = []
        for kind, by_name in found["kinds"].items():
            for name, each in by_name.items():
                last = each["mean"][-1], each["mean_error"] and each["mean_error"][-1]
                errors = each["absolute_error"], each["absolute_error_error"]
                rows.append([f"{kind}: {name}", *last, *errors])
        radii = ", ".join(f"{kind}: {radius:.1f}" for kind, radius in found["radii"].items())
        table = Table(
            fill(CAPTION_OF_TABLE, radii=radii),
            ["forecast", "surface", "±", "error of a molecule's", "± (error)"],
            rows,
            digits=1,
        )
        times = evaluation.forecasts.spacing * np.array(found["steps"])
        alt = "Accessible surfaces of molecules over time"
        figure = _draw(found["kinds"], times)
        picture = figures.picture(figure, "accessible_surfaces", fill(CAPTION), alt)
        return [Section(HEADING, tables=[table], pictures=[picture])]


class _Surfaces(NamedTuple):
    areas: FloatArray  # [M, steps]
    true_last: FloatArray  # in the last step, [M]
    kinds: Array  # [M]
    simulations: Array  # [M]


def _radii(description: DatasetDescription) -> dict[str, float]:
    """Of each species of molecules around a centre; none of a fluid, which has no surface."""
    species = description.layout.given.species
    settings = (description.preprocessing or {}).get("settings", {})
    if settings.get("centre") is None or not species:
        return {}
    radii = description.radii or {}
    for name in species:
        if not radii.get(name):
            raise NotPossibleError(
                f"expected radii of molecules in dataset.json, found {radii.get(name)} of {name}; "
                "data sets made again have them, but for molecules of one atom"
            )
    return {name: radii[name] for name in species}


def _by_window(
    each: Tracks, layout: FeatureLayout, radii: FloatArray, steps: IntArray
) -> _Surfaces:
    """Areas of every molecule in some windows."""
    windows = each.windows
    found = []
    for w in evenly_spread(len(windows.truth), MOST_WINDOWS):
        real = windows.is_real[w]
        kinds = layout.kinds(windows.inputs[w, -1])[real]
        areas = accessible_surface(each.positions[w, steps][:, real], radii[kinds])
        true = accessible_surface(windows.truth[w, -1:, real].swapaxes(0, 1), radii[kinds])
        found.append(
            _Surfaces(areas.T, true[0], kinds, np.repeat(windows.simulations[w], len(kinds)))
        )
    return _Surfaces(*map(np.concatenate, zip(*found, strict=True)))


def _measure(surfaces: _Surfaces, chosen: Array) -> dict[str, Any]:
    areas, true_last, _, simulations = (array[chosen] for array in surfaces)
    mean, error = over_simulations(areas, simulations)
    off, off_error = over_simulations(np.abs(areas[:, -1] - true_last), simulations)
    return {
        "mean": mean.tolist(),
        "mean_error": None if error is None else error.tolist(),
        "absolute_error": float(off),
        "absolute_error_error": None if off_error is None else float(off_error),
    }


def _draw(kinds: Mapping[str, Mapping[str, Any]], times: FloatArray) -> Figure:
    figure, axes = new_row(len(kinds))
    for ax, (kind, by_name) in zip(axes, kinds.items(), strict=True):
        styles = curve_styles(by_name, baseline_names())
        for name, each in by_name.items():
            mean = np.array(each["mean"])
            ax.plot(times, mean, **styles[name])
            if name == "truth" and each["mean_error"] is not None:
                shade_error(ax, times, mean, each["mean_error"], styles[name]["color"])
        label = "accessible surface (squared length units)"
        finish_curves(ax, "time ahead (time units)", label, kind)
    return figure
