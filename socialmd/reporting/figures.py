"""Numbers of a report -> its figures, each as PNG and as PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from socialmd.evaluation import AroundCloseApproaches, Conservation, nearest_distances
from socialmd.files import save_figure
from socialmd.plots import (
    draw_learned_interaction,
    new_figure,
    plot_around_close_approaches,
    plot_conservation,
    plot_coverage,
    plot_error_by_closest_approach,
    plot_errors,
    plot_nearest_distances,
    plot_pit,
    plot_spread,
    plot_spread_skill,
)
from socialmd.plots.style import FORECAST_COLOR, TRUTH_LINE_COLOR, curve_styles, finish_curves
from socialmd.reporting.forecasts import BASELINES, Forecasts
from socialmd.reporting.measurements import Measurements

__all__ = ["draw_around", "draw_figures", "save_png_and_pdf"]

QUARTILES = (0.25, 0.75)
KINDS = {"as trained": "-", "recalibrated": "--", "sampled": ":", "sampled, recalibrated": "-."}
WIDE, NARROW, HEIGHT = 11.0, 5.5, 4.4  # inches


def draw_figures(forecasts: Forecasts, measured: Measurements, folder: Path) -> dict[str, Path]:
    """Draw all curves of a report.

    Args:
        forecasts: of models and baselines.
        measured: their numbers.
        folder: for `NAME.png` and `NAME.pdf`.

    Returns:
        The PNG files by name.
    """
    figures = [("errors", _errors(forecasts, measured)), ("likelihood", _likelihood(measured))]
    figures += [("calibration", _calibration(measured)), ("spread", _spread(measured))]
    if measured.samples:
        figures.append(("futures", _futures(measured)))
    figures += _physics(forecasts, measured)
    figures += _close_approaches(measured)
    figures += [
        (f"interaction_{number}", draw_learned_interaction(**interaction._asdict()))
        for number, interaction in enumerate(measured.interactions.values(), start=1)
    ]
    name_units = forecasts.description.name_units
    return {name: save_png_and_pdf(figure, folder, name, name_units) for name, figure in figures}


def save_png_and_pdf(
    figure: Figure, folder: Path, name: str, name_units: Callable[[str], str] = str
) -> Path:
    """Write a figure as PNG and as PDF.

    Args:
        figure: what to write.
        folder: where.
        name: without suffix.
        name_units: gives texts the units of the data (see `DatasetDescription.name_units`).

    Returns:
        The PNG file.
    """
    png = folder / f"{name}.png"
    save_figure(figure, png, name_units)
    pdf = png.with_suffix(".pdf")
    save_figure(figure, pdf, name_units, "pdf", metadata={"CreationDate": None})
    return png


def draw_around(ax: Axes, quantities: Mapping[str, AroundCloseApproaches], title: str) -> None:
    """Predicted sigma and actual error of a model before and after close approaches.

    Args:
        ax: where to draw.
        quantities: as `sigma_and_error_around` gives them.
        title: of the axes.
    """
    for quantity, name, color in (
        ("sigma", "predicted sigma", FORECAST_COLOR),
        ("error", "actual error", TRUTH_LINE_COLOR),
    ):
        around = quantities[quantity]
        quartiles = [around.lower, around.median, around.upper]
        label = "per coordinate (length units)"
        plot_around_close_approaches(
            ax, around.offsets, quartiles, around.control, name, color, label, title
        )


def _errors(forecasts: Forecasts, measured: Measurements) -> Figure:
    """Mean and median error; the band is that of the quartiles over simulations."""
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    means = {name: metrics.mae_per_step for name, metrics in measured.errors.items()}
    spread = {
        name: np.quantile(measured.errors[name].mae_per_simulation_and_step, QUARTILES, axis=0)
        for name in forecasts.models
    }
    plot_errors(axes[0], means, baselines=BASELINES, spread=spread)
    medians = {name: metrics.median_error_per_step for name, metrics in measured.errors.items()}
    label = "median absolute error (length units)"
    plot_errors(axes[1], medians, label, "Median error against steps ahead", BASELINES)
    return figure


def _likelihood(measured: Measurements) -> Figure:
    """A colour for each model, a line style for each kind of density."""
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    for ax, key, label, title in (
        (axes[0], "nll_per_step", "NLL (nats per particle)", "Negative log-likelihood"),
        (axes[1], "crps_per_step", "CRPS (length units)", "Continuous ranked probability score"),
    ):
        styles = curve_styles(measured.calibration)
        for name, kinds in measured.calibration.items():
            for kind, calibration in kinds.items():
                if key == "nll_per_step" and kind.startswith("sampled"):
                    continue  # of a mixture of few narrow densities: far out of the frame
                values = getattr(calibration, key)
                style = {**styles[name], "linestyle": KINDS[kind], "label": f"{name}, {kind}"}
                ax.plot(np.arange(1, len(values) + 1), values, **style)
        finish_curves(ax, "steps ahead", label, title)
    # Densities that exclude the truth have no upper limit; the frame is that of those as trained.
    plain = [kinds["as trained"].nll_per_step for kinds in measured.calibration.values()]
    axes[0].set_ylim(np.min(plain) - 1.0, np.max(plain) + 3.0)
    axes[1].set_yscale("log")
    return figure


def _calibration(measured: Measurements) -> Figure:
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    plain = {name: kinds["as trained"] for name, kinds in measured.calibration.items()}
    levels = next(iter(plain.values())).levels
    plot_coverage(axes[0], {name: each.coverage for name, each in plain.items()}, levels)
    plot_pit(axes[1], {name: each.overall_pit_histogram for name, each in plain.items()})
    return figure


def _spread(measured: Measurements) -> Figure:
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    plain = {name: kinds["as trained"] for name, kinds in measured.calibration.items()}
    plot_spread(
        axes[0],
        {name: each.sharpness_per_step for name, each in plain.items()},
        {name: each.rmse_per_step for name, each in plain.items()},
    )
    axes[0].set_title("Root mean square")
    plot_spread(
        axes[1],
        {name: each.median_sharpness_per_step for name, each in plain.items()},
        {name: each.median_scaled_error_per_step for name, each in plain.items()},
    )
    axes[1].set_title("Median")
    return figure


def _futures(measured: Measurements) -> Figure:
    """Of the models whose samples are trajectories; of all, if no model's are."""
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    sampled = [name for name, kinds in measured.calibration.items() if "sampled" in kinds]
    shown = [name for name in sampled if name not in measured.cautions] or sampled
    levels = measured.calibration[shown[0]]["sampled"].levels
    coverage = {
        name + kind.removeprefix("sampled"): each.coverage
        for name in shown
        for kind, each in measured.calibration[name].items()
        if kind.startswith("sampled")
    }
    plot_coverage(axes[0], coverage, levels)
    ratios = {name: measured.samples[name].spread_skill_per_step for name in coverage}
    plot_spread_skill(axes[1], ratios)
    return figure


def _physics(forecasts: Forecasts, measured: Measurements) -> Iterator[tuple[str, Figure]]:
    for name, drifts in (
        ("conservation", measured.conservation),
        ("long_conservation", measured.long_conservation),
    ):
        if drifts:
            yield name, _conservation(drifts)
    if forecasts.windows.truth.shape[2] > 1 and forecasts.windows.mask is None:
        yield "nearest_distances", _nearest_distances(forecasts, measured)


def _conservation(drifts: Mapping[str, Conservation]) -> Figure:
    figure, axes = new_figure(WIDE, HEIGHT, columns=2)
    momentum = {name: drift.momentum_drift for name, drift in drifts.items()}
    label = "momentum drift / sum of m |v| at the start"
    plot_conservation(axes[0], momentum, label, "Momentum", BASELINES)
    energy = {e: d.energy_drift for e, d in drifts.items() if d.energy_drift is not None}
    if energy:
        label = "energy drift / kinetic energy of the past"
        plot_conservation(axes[1], energy, label, "Energy", BASELINES)
    else:
        radius = {name: drift.radius for name, drift in drifts.items()}
        label = "rms distance from the centre of mass (length units)"
        plot_conservation(axes[1], radius, label, "Extent", BASELINES, floor=None)
    return figure


def _nearest_distances(forecasts: Forecasts, measured: Measurements) -> Figure:
    """Within the training horizon and, if there are such forecasts, far beyond it."""
    far = measured.long_positions
    figure, axes = new_figure(WIDE if far else NARROW, HEIGHT, columns=2 if far else 1)
    near = {"truth": forecasts.windows.truth, **forecasts.positions}
    for ax, named in zip(np.atleast_1d(axes), (near, far), strict=False):
        steps = next(iter(named.values())).shape[1]
        title = f"Nearest neighbours, steps 1 to {steps}"
        distances = {name: nearest_distances(positions) for name, positions in named.items()}
        plot_nearest_distances(ax, distances, title, BASELINES)
    return figure


def _close_approaches(measured: Measurements) -> Iterator[tuple[str, Figure]]:
    if not measured.around_close_approaches:
        return
    models = len(measured.around_close_approaches)
    figure, axes = new_figure(NARROW * (1 + models), HEIGHT, columns=1 + models)
    groups = measured.closest_approach
    plot_error_by_closest_approach(
        axes[0],
        next(iter(groups.values())).distances,
        {name: group.median_fde for name, group in groups.items()},
        baselines=BASELINES,
    )
    for ax, (name, quantities) in zip(
        axes[1:], measured.around_close_approaches.items(), strict=True
    ):
        draw_around(ax, quantities, f"{name}: before and after")
    yield "close_approaches", figure
