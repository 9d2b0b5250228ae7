"""Conserved quantities along forecasts, within the training horizon and far beyond it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.evaluation import Conservation, Forecaster, NotPossibleError, baseline_names
from socialmd.plots import new_figure
from socialmd.plots.style import PAIR_OF_AXES, curve_styles, finish_curves
from socialmd.reporting.figure_folder import FigureFolder
from socialmd.reporting.forecast_evaluation import ForecastEvaluation
from socialmd.reporting.forecasts import Forecasts
from socialmd.reporting.html_report import Section
from socialmd.reporting.html_table import Row, Table
from socialmd.reporting.measure import Measure, register_measure
from socialmd.reporting.prose import fill
from socialmd.simulation import law_of, total_energy
from socialmd.types import Array

__all__ = ["HEADING", "ConservedQuantities", "plot_conservation"]

LONG = 10  # times T': far beyond what models were trained for
NUM_LONG_WINDOWS = 20
STILL = "constant position"  # whose kinetic energy is zero
FLOOR = 1e-6  # of a logarithmic axis

# === Words ===
HEADING = "Physics of the forecast"
INTRODUCTION = """
No law of motion is built in, so nothing but learning makes a forecast obey one.
"""
CAPTION_OF_TABLE = """
Medians over the windows at the last step (kinetic and total energy: at the last but one, because
the difference quotient errs most at the end). Momentum drift relative to the sum of m|v| at the
start; deviation of the centre of mass from uniform motion and root-mean-square distance from it in
units of length; energies relative to the kinetic energy of the past. The truth shows what
difference quotients of positions can resolve.
"""
CAPTION = "Drift of conserved quantities along the forecasts."
CAPTION_OF_LONG = """
The same ten times beyond the training horizon, where the known law stands for the truth.
"""

Energy = Callable[[Any, Any], Array]


@register_measure
class ConservedQuantities(Measure):
    """Drifts of momentum and energy, where masses are known.

    Numbers: `"conservation"`, a `Conservation` by forecast, and of the truth as yardstick;
    `"long_conservation"`, the same over ten times T' steps, of models and of who knows the law; for
    pictures `"long_positions"` of these, [W, 10 T', N, D].
    """

    name = "conservation"
    place = 60
    units: ClassVar = {"conservation": "relative to the start, or units of length"}
    absent: ClassVar = {"conservation": {}, "long_conservation": {}, "long_positions": {}}
    for_pictures = ("long_positions",)

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any]:
        forecasts = evaluation.forecasts
        near = evaluation.attempt("conservation", lambda: _measure(forecasts))
        far = evaluation.attempt("long forecasts", lambda: _measure_far(forecasts))
        return {"conservation": near or {}, **(far or {})}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        near, far = (evaluation.numbers[key] for key in ("conservation", "long_conservation"))
        if not near:
            return ()
        alt = "Drift of momentum and energy by step"
        pictures = [figures.picture(_draw(near), "conservation", CAPTION, alt)]
        if far:
            caption, alt = (
                fill(CAPTION_OF_LONG),
                alt.replace("by step", "over ten times as many steps"),
            )
            pictures.append(figures.picture(_draw(far), "long_conservation", caption, alt))
        return [Section(HEADING, [fill(INTRODUCTION)], [_tabulate(near, evaluation)], pictures)]


def plot_conservation(
    ax: Axes, drifts: Mapping[str, ArrayLike], label: str, title: str, floor: float | None = FLOOR
) -> None:
    """Drifts, [T'] by forecast; of the truth, what velocities cannot resolve.

    Smaller ones than the floor are drawn there, because the axis is logarithmic and some forecasts
    conserve exactly; without a floor it is linear.
    """
    styles = curve_styles(drifts, baseline_names())
    lowest = np.inf
    for name, values in drifts.items():
        curve = np.asarray(values, float)  # [T']
        ax.plot(np.arange(1, len(curve) + 1), np.maximum(curve, floor or 0.0), **styles[name])
        lowest = min(lowest, curve.min())
    if floor is not None:
        ax.set_yscale("log")
        if lowest < floor:
            ax.axhline(
                floor, color="black", linewidth=0.8, linestyle=":", label=f"{floor:g} or less"
            )
    finish_curves(ax, "steps ahead", label, title)


def _measure(forecasts: Forecasts) -> dict[str, Conservation]:
    _require_masses(forecasts)
    inputs, truth = forecasts.windows.inputs, forecasts.windows.truth
    moving = {name: each for name, each in forecasts.positions.items() if name != STILL}
    energy = _energy(forecasts, inputs)
    return {
        name: Conservation.from_arrays(inputs, positions, forecasts.spacing, energy)
        for name, positions in {**moving, "truth": truth}.items()
    }


def _measure_far(forecasts: Forecasts) -> dict[str, Any]:
    _require_masses(forecasts)
    windows = forecasts.windows
    _, first = np.unique(windows.simulations, return_index=True)
    windows = windows.at(first[:NUM_LONG_WINDOWS])
    steps = LONG * windows.truth.shape[1]
    knowing = {name: each for name, each in forecasts.baselines.items() if not each.is_rival}
    forecasters: dict[str, Forecaster] = {**forecasts.models, **knowing}
    positions = {
        name: each.rollout(
            windows.past, steps, each.point_feedback, 0, progress=f"{name}, {steps} steps"
        )[0]
        for name, each in forecasters.items()
    }
    energy = _energy(forecasts, windows.inputs)
    conservation = {
        name: Conservation.from_arrays(windows.inputs, each, forecasts.spacing, energy)
        for name, each in positions.items()
    }
    return {"long_conservation": conservation, "long_positions": positions}


def _require_masses(forecasts: Forecasts) -> None:
    dims, names = forecasts.spatial_dims, forecasts.description.features
    frames = forecasts.windows.inputs.shape[1]
    if names[dims : dims + 1] != ("mass",) or frames < 3:
        raise NotPossibleError(
            f"expected mass as the {('third', 'fourth')[dims - 2]} feature and three frames of "
            f"past, found {', '.join(names)} and {frames}"
        )


def _energy(forecasts: Forecasts, inputs: Array) -> Energy | None:
    """Total energy of frames of these windows, if the law is known."""
    law = law_of(forecasts.description)
    if law is None:
        return None
    masses, charges = inputs[:, -1:, :, 2], inputs[:, -1:, :, 3]  # [W, 1, N]
    return lambda positions, velocities: total_energy(law, positions, velocities, masses, charges)


def _tabulate(found: Mapping[str, Conservation], evaluation: ForecastEvaluation) -> Table:
    rows: dict[str, Row] = {
        name: [
            name,
            drift.momentum_drift[-1],
            drift.center_of_mass_deviation[-1],
            None if drift.energy_drift is None else drift.energy_drift[-2:][0],
            drift.kinetic_energy[-2:][0],
            drift.radius[-1],
        ]
        for name, drift in found.items()
    }
    models = evaluation.forecasts.models
    return Table(
        fill(CAPTION_OF_TABLE),
        ["forecast", "momentum", "centre of mass", "energy", "kinetic energy", "extent"],
        [row for name, row in rows.items() if name in models],
        [row for name, row in rows.items() if name not in models],
    )


def _draw(drifts: Mapping[str, Conservation]) -> Figure:
    figure, axes = new_figure(*PAIR_OF_AXES, columns=2)
    momentum = {name: drift.momentum_drift for name, drift in drifts.items()}
    label = "momentum drift / sum of m |v| at the start"
    plot_conservation(axes[0], momentum, label, "Momentum")
    energy = {e: d.energy_drift for e, d in drifts.items() if d.energy_drift is not None}
    if energy:
        plot_conservation(axes[1], energy, "energy drift / kinetic energy of the past", "Energy")
    else:
        radius = {name: drift.radius for name, drift in drifts.items()}
        label = "rms distance from the centre of mass (length units)"
        plot_conservation(axes[1], radius, label, "Extent", floor=None)
    return figure
