"""Forecasts of molecules far beyond the training horizon: whether they stay warm, and where."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from socialmd.data import Windows
from socialmd.evaluation.transport import Transport
from socialmd.models import ForecastModel
from socialmd.plots.style import curve_styles, finish_curves, label_plainly, new_row
from socialmd.reporting import FigureFolder, ForecastEvaluation, Section, Table, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.measures.particle_transport import HEADING
from socialmd.reporting.tracks import SAMPLED
from socialmd.types import Array

__all__ = ["LongRollouts"]

LONG = 10  # times T'
MOST_PARTICLES = 600  # in all windows together
OUTSIDE = 1.25  # times the largest distance from the origin that the truth has

# === Words ===
CAPTION_OF_TABLE = """
Forecasts of {{ steps }} steps, ten times the training horizon, from {{ windows }} windows.
Temperature: mean square of a step over the last tenth, by the truth's within the horizon. Outside:
fraction of particles that have gone {{ outside }} times as far from the origin as any in the truth,
where no walls are periodic. Sampled: one future, each step drawn from its density.
"""
CAPTION = """
Mean square of a step by the truth's, over {{ steps }} steps (left), and mean squared displacement
(right): what is heated or frozen by its own errors leaves one, and the line of the truth.
"""


@register_measure
class LongRollouts(Measure):
    """Temperature and place of models' forecasts far beyond the horizon, of molecules.

    Numbers: `"long_rollouts"`, by model and, of those that hold conditional densities, for a
    sampled future: `"temperature"` by step, `"outside"`, a fraction, or nothing in periodic boxes,
    `"displacement"`, mean squared, by step; and `"windows"`, how many.
    """

    name = "long rollouts"
    place = 67
    absent: ClassVar = {"long_rollouts": {}}

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        if forecasts.description.preprocessing is None or not evaluation.numbers["transport"]:
            return None
        particles = forecasts.windows.truth.shape[2]
        most = max(1, MOST_PARTICLES // particles)
        windows = forecasts.windows.one_of_each_simulation(most)
        usual = _usual_step(windows)
        found = {}
        for name, model in forecasts.models.items():
            kinds = {name: model.point_feedback}
            if model.reason_against_samples is None:
                kinds[name + SAMPLED] = "sample"
            for label, feedback in kinds.items():
                roll_out = partial(_roll_out, model, windows, feedback)
                positions = evaluation.attempt(f"long rollout of {label}", roll_out)
                if positions is not None:
                    found[label] = _measure(windows, positions, usual)
        return {"long_rollouts": found}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        found: dict[str, dict[str, Any]] = evaluation.numbers["long_rollouts"]
        if not found:
            return ()
        steps = len(next(iter(found.values()))["temperature"])
        windows = next(iter(found.values()))["windows"]
        caption = fill(CAPTION_OF_TABLE, steps=steps, windows=windows, outside=OUTSIDE)
        last = max(1, steps // 10)
        rows = [
            [name, float(np.mean(each["temperature"][-last:])), each["outside"]]
            for name, each in found.items()
        ]
        table = Table(caption, ["forecast", "temperature", "outside"], rows)
        figure = _draw(found, evaluation.forecasts.spacing)
        alt = "Step sizes and displacements of long forecasts"
        picture = figures.picture(figure, "long_rollouts", fill(CAPTION, steps=steps), alt)
        return [Section(HEADING, tables=[table], pictures=[picture])]


def _roll_out(model: ForecastModel, windows: Windows, feedback: str) -> Array:
    steps = LONG * windows.truth.shape[1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the model holds marginal densities")
        positions, _ = model.rollout(windows.past, steps, feedback, seed=0)
    return positions[..., : model.spatial_dims]


def _usual_step(windows: Windows) -> float:
    """Mean square of a step of the truth, per coordinate."""
    steps = np.diff(windows.real(windows.truth), axis=1)
    return float(np.square(steps).mean()) if steps.size else 1.0


def _measure(windows: Windows, positions: Array, usual: float) -> dict[str, Any]:
    dims = positions.shape[-1]
    start = windows.inputs[:, -1, :, :dims]
    motion = Transport.from_paths(start, positions, windows.is_real, windows.simulations)
    outside = None
    if windows.boxes is None:
        largest = np.linalg.norm(windows.real(windows.truth), axis=-1).max()
        distances = np.linalg.norm(windows.real(positions)[:, -1], axis=-1)
        outside = float((distances > OUTSIDE * largest).mean())
    return {
        "windows": len(positions),
        "temperature": [each / usual for each in motion.mean_square_step],
        "displacement": motion.displacement,
        "outside": outside,
    }


def _draw(found: Mapping[str, Mapping[str, Any]], spacing: float) -> Figure:
    figure, (left, right) = new_row()
    styles = curve_styles(found)
    for name, each in found.items():
        times = spacing * np.arange(1, len(each["temperature"]) + 1)
        left.plot(times, each["temperature"], **styles[name])
        right.plot(times, each["displacement"], **styles[name])
    left.axhline(1.0, color="black", linewidth=0.8, linestyle=":", label="truth")
    left.set_yscale("log")
    finish_curves(left, "time ahead (time units)", "mean square of a step / truth's", "Temperature")
    right.set(xscale="log", yscale="log")
    label_plainly(right.xaxis)
    label = "mean squared displacement (squared length units)"
    finish_curves(right, "time ahead (time units)", label, "Displacement")
    return figure
