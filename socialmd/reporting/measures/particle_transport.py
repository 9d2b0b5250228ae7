"""How far particles wander in forecasts: mean squared displacement, diffusion, temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from socialmd.evaluation import baseline_names
from socialmd.evaluation.transport import Transport
from socialmd.plots.style import curve_styles, finish_curves, label_plainly, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.tracks import tracks, wide_if_true

__all__ = ["ALL", "HEADING", "ParticleTransport"]

ALL = "all"  # where particles have no names

# === Words ===
HEADING = "What particles do on average"
CAPTION_OF_TABLE = """
Diffusion constant from the slope of the mean squared displacement over the second half of the
steps, in squared units of length per time unit, with its standard error over simulations; and the
mean square of a step, what temperature is measured by, relative to the truth's: at the first step,
and at the last. A forecast of means goes less far than particles do where the future is uncertain;
sampled futures should go as far.
"""
CAPTION = """
Mean squared displacement from the last given frame{{ of_whom }} (left; band: twice the standard
error over simulations) and autocorrelation of the displacement of a frame (right).
"""


@register_measure
class ParticleTransport(Measure):
    """Displacement, diffusion and step sizes of each kind of particle.

    Numbers: `"transport"`, by kind of particle (`"all"` without names) and forecast, of the truth
    and of a sampled future too, a `Transport`.
    """

    name = "transport"
    place = 64
    units: ClassVar = {"transport": "squared units of length, and per time unit"}
    absent: ClassVar = {"transport": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        if forecasts.windows.truth.shape[1] < 2:
            return None
        layout = forecasts.description.layout.given
        found: dict[str, dict[str, Transport]] = {}
        for name, (positions, windows, _) in tracks(evaluation).items():
            kinds = layout.kinds(windows.inputs[:, -1])
            start = windows.inputs[:, -1, :, : forecasts.spatial_dims]
            for number, kind in enumerate(layout.species or (ALL,)):
                chosen = windows.is_real & (kinds == number)
                if chosen.any():
                    found.setdefault(kind, {})[name] = Transport.from_paths(
                        start, positions, chosen, windows.simulations, forecasts.spacing
                    )
        return {"transport": found}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, dict[str, Transport]] = evaluation.numbers["transport"]
        pictures = []
        for number, (kind, by_name) in enumerate(found.items()):
            of_whom = "" if kind == ALL else f" of {kind}"
            figure = _draw(by_name, evaluation.forecasts.spacing, of_whom)
            alt = f"Mean squared displacement{of_whom} and its velocity autocorrelation"
            caption = fill(CAPTION, of_whom=of_whom)
            pictures.append(figures.picture(figure, f"transport_{number}", caption, alt))
        return [Section(HEADING, tables=[_tabulate(found)], pictures=pictures)]


def _tabulate(found: Mapping[str, Mapping[str, Transport]]) -> Table:
    rows = []
    for kind, by_name in found.items():
        true = np.array(by_name["truth"].mean_square_step)
        for name, each in by_name.items():
            steps = np.divide(each.mean_square_step, true, where=true > 0, out=np.ones_like(true))
            label = name if kind == ALL else f"{kind}: {name}"
            numbers = (each.diffusion, each.diffusion_error, float(steps[0]), float(steps[-1]))
            rows.append([label, *numbers])
    header = ["forecast", "D", "± (D)", "first step", "last step"]
    return Table(fill(CAPTION_OF_TABLE), header, rows)


def _draw(by_name: Mapping[str, Transport], spacing: float, of_whom: str) -> Figure:
    figure, (left, right) = new_row()
    styles = curve_styles(by_name, baseline_names())
    for name, each in by_name.items():
        style = {**styles[name], **wide_if_true(name)}
        times = spacing * np.arange(1, len(each.displacement) + 1)
        mean = np.array(each.displacement)
        if (mean > 0).all():
            left.plot(times, mean, **style)
            if each.displacement_error is not None and name == "truth":
                width = 2 * np.array(each.displacement_error)
                low = np.maximum(mean - width, 0.1 * mean)
                left.fill_between(times, low, mean + width, color=styles[name]["color"], alpha=0.2)
        right.plot(times - spacing, each.autocorrelation, **style)
    left.set(xscale="log", yscale="log")
    label_plainly(left.xaxis)
    label = "mean squared displacement (squared length units)"
    finish_curves(left, "time ahead (time units)", label, f"Displacement{of_whom}")
    right.axhline(0.0, color="black", linewidth=0.8, linestyle=":")
    right.set_ylim(-1.1, 1.4)
    finish_curves(right, "time lag (time units)", "autocorrelation", f"Velocity{of_whom}")
    return figure
