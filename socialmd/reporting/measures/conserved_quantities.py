"""Conserved quantities along forecasts, within the training horizon and far beyond it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from socialmd.data.feature_layout import BONDS
from socialmd.evaluation import Conservation, Forecaster, NotPossibleError, baseline_names
from socialmd.plots.style import curve_styles, finish_curves, new_row, plot_steps
from socialmd.reporting import FigureFolder, ForecastEvaluation, Forecasts, Section, Table, fill
from socialmd.reporting.measure import Measure, by_name, register_measure
from socialmd.simulation import Rotors, law_of, total_energy
from socialmd.types import Array, FloatArray

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
NOT_ALONE = """
Something outside acts on these particles ({outside}), so that their momentum is not conserved.
"""
CAPTION = "Drift of conserved quantities along the forecasts."
CAPTION_OF_LONG = """
The same ten times beyond the training horizon, where the known law stands for the truth.
"""


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
        near = evaluation.attempt("conservation", lambda: _measure_near(forecasts))
        far = evaluation.attempt("long forecasts", lambda: _measure_far(forecasts))
        return {"conservation": near or {}, **(far or {})}

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        near, far = (evaluation.numbers[key] for key in ("conservation", "long_conservation"))
        if not near:
            return ()
        alt = "Drift of momentum and energy by step"
        pictures = [figures.picture(_draw(near), "conservation", CAPTION, alt)]
        if far:
            alt = alt.replace("by step", "over ten times as many steps")
            picture = figures.picture(_draw(far), "long_conservation", fill(CAPTION_OF_LONG), alt)
            pictures.append(picture)
        words = [fill(INTRODUCTION)]
        if outside := _outside(evaluation.forecasts):
            words.append(fill(NOT_ALONE, outside=outside))
        return [Section(HEADING, words, [_tabulate(near, evaluation)], pictures)]


def plot_conservation(
    ax: Axes, drifts: Mapping[str, ArrayLike], label: str, title: str, floor: float | None = FLOOR
) -> None:
    """Drifts, [T'] by forecast; of the truth, what velocities cannot resolve.

    Smaller ones than the floor are drawn there, because the axis is logarithmic and some forecasts
    conserve exactly; without a floor it is linear.
    """
    styles = curve_styles(drifts, baseline_names())
    for name, values in drifts.items():
        plot_steps(ax, np.maximum(values, floor or 0.0), **styles[name])
    if floor is not None:
        ax.set_yscale("log")
        if min(np.min(values) for values in drifts.values()) < floor:
            style: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": ":"}
            ax.axhline(floor, label=f"{floor:g} or less", **style)
    finish_curves(ax, "steps ahead", label, title)


def _measure_near(forecasts: Forecasts) -> dict[str, Conservation]:
    _require_masses(forecasts)
    moving = {name: each for name, each in forecasts.positions.items() if name != STILL}
    windows, turning = forecasts.windows, dict(forecasts.orientations)
    if windows.orientations is not None:
        turning["truth"] = windows.orientations
    return _measure(forecasts, windows.inputs, {**moving, "truth": windows.truth}, turning)


def _measure_far(forecasts: Forecasts) -> dict[str, Any]:
    _require_masses(forecasts)
    windows = forecasts.windows.one_of_each_simulation(NUM_LONG_WINDOWS)
    steps = LONG * windows.truth.shape[1]
    knowing = {name: each for name, each in forecasts.baselines.items() if not each.is_rival}
    forecasters: dict[str, Forecaster] = {**forecasts.models, **knowing}
    dims = forecasts.spatial_dims
    poses = {
        name: each.rollout(
            windows.past, steps, each.point_feedback, 0, progress=f"{name}, {steps} steps"
        )[0]
        for name, each in forecasters.items()
    }
    positions = {name: each[..., :dims] for name, each in poses.items()}
    turning = {name: each[..., dims:] for name, each in poses.items() if each.shape[-1] > dims}
    conservation = _measure(forecasts, windows.inputs, positions, turning)
    return {"long_conservation": conservation, "long_positions": positions}


def _measure(
    forecasts: Forecasts,
    inputs: Array,
    positions: Mapping[str, Array],
    orientations: Mapping[str, Array],
) -> dict[str, Conservation]:
    """With the total energy of frames of these windows, if the law is known.

    And of particles that turn, if it is known how.
    """
    layout, energy = forecasts.description.layout.given, _energy(forecasts, inputs)
    past = inputs[..., layout.orientation]
    found = {}
    for name, each in positions.items():
        turning = (past, orientations[name]) if name in orientations else None
        knows_all = turning is not None or not layout.orientation
        found[name] = Conservation.from_arrays(
            inputs,
            each,
            forecasts.spacing,
            energy if knows_all else None,
            layout.find("mass"),
            turning,
        )
    return found


def _energy(forecasts: Forecasts, inputs: Array) -> Callable[..., ArrayLike] | None:
    """That the true law conserves, if it is known, without friction, and cuts no force off."""
    law, layout = law_of(forecasts.description), forecasts.description.layout.given
    if law is None or law.strands is not None or law.force_limit is not None:
        return None

    def constant(name: str) -> Array:
        return np.asarray(inputs[:, -1:, :, layout.find(name)], np.float64)  # [W, 1, N]

    masses, charges = constant("mass"), constant("charge")
    if not law.has_rotors:
        tied = layout.columns(name=BONDS)
        springs = inputs[:, -1:, :, tied] if law.has_springs else None  # [W, 1, N, N]
        return lambda x, v, *_: total_energy(law, x, v, masses, charges, springs=springs)
    moments, inertias = constant(law.moment_name), constant("moment_of_inertia")

    def energy(x: FloatArray, v: FloatArray, u: FloatArray, spins: FloatArray) -> FloatArray:
        return total_energy(law, x, v, masses, charges, Rotors(u, spins, moments, inertias))

    return energy


def _outside(forecasts: Forecasts) -> str:
    """What acts on particles from outside, as far as the data say."""
    law = law_of(forecasts.description, is_given=False)
    if law is None:
        return ""
    there = {"walls": law.wall, "fixed charges": law.fixed_charges, "strands": law.strands}
    return ", ".join(what for what, value in there.items() if value is not None)


def _require_masses(forecasts: Forecasts) -> None:
    layout, frames = forecasts.description.layout.given, forecasts.windows.inputs.shape[1]
    if layout.find("mass") is None or frames < 3:
        raise NotPossibleError(
            f"expected mass among the features and three frames of past, found "
            f"{', '.join(layout.features)} and {frames}"
        )


def _tabulate(found: Mapping[str, Conservation], evaluation: ForecastEvaluation) -> Table:
    rows = [
        [
            name,
            drift.momentum_drift[-1],
            drift.center_of_mass_deviation[-1],
            None if drift.energy_drift is None else drift.energy_drift[-2:][0],
            drift.kinetic_energy[-2:][0],
            drift.radius[-1],
        ]
        for name, drift in found.items()
    ]
    header = ["forecast", "momentum", "centre of mass", "energy", "kinetic energy", "extent"]
    return Table(fill(CAPTION_OF_TABLE), header, *evaluation.apart(rows))


def _draw(drifts: Mapping[str, Conservation]) -> Figure:
    figure, (left, right) = new_row()
    momentum, energy, radius = (
        by_name(drifts, key) for key in ("momentum_drift", "energy_drift", "radius")
    )
    plot_conservation(left, momentum, "momentum drift / sum of m |v| at the start", "Momentum")
    energy = {name: drift for name, drift in energy.items() if drift is not None}
    if energy:
        plot_conservation(right, energy, "energy drift / kinetic energy of the past", "Energy")
    else:
        label = "rms distance from the centre of mass (length units)"
        plot_conservation(right, radius, label, "Extent", floor=None)
    return figure
