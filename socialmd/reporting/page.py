"""Numbers and figures -> the report, one HTML page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from socialmd.reporting import Figure, Report, Section, Table
from socialmd.reporting.forecasts import BASELINES, Forecasts
from socialmd.reporting.gallery import Picture
from socialmd.reporting.interaction import interaction_caption
from socialmd.reporting.measurements import Measurements

__all__ = ["compose_report"]

Row = list[str | float | None]


def compose_report(
    forecasts: Forecasts,
    measured: Measurements,
    figures: Mapping[str, Path],
    overview: Picture,
    gallery: Mapping[str, Picture],
    made_by: Mapping[str, str],
    subtitle: str,
    remarks: Sequence[str] = (),
) -> Report:
    """Arrange numbers, figures and explanations.

    Args:
        forecasts: of models and baselines.
        measured: their numbers.
        figures: curves by name, as `draw_figures` gives them.
        overview: two forecasts and the errors.
        gallery: forecasts picked by rule.
        made_by: title -> text: command, configurations, versions.
        subtitle: what was measured, on what.
        remarks: sentences that belong into the summary.

    Returns:
        The page; `write` writes it.
    """
    sections = [
        _summary(forecasts, measured, overview, remarks),
        _errors(forecasts, figures),
        _calibration(measured, figures),
    ]
    if measured.samples:
        sections.append(_samples(measured, figures))
    sections.append(_gallery(gallery))
    if measured.interactions:
        sections.append(_interactions(measured, figures))
    if measured.conservation:
        sections.append(_physics(measured, figures))
    if measured.around_close_approaches:
        sections.append(_close_approaches(measured, figures))
    sections.append(Section("How this was made", details=dict(made_by)))
    return Report(", ".join(forecasts.models), subtitle, sections)


def _summary(
    forecasts: Forecasts, measured: Measurements, overview: Picture, remarks: Sequence[str]
) -> Section:
    errors = measured.errors
    best = next(iter(measured.verdict.values())).overall.rival
    reference = errors[best]
    rows: list[Row] = []
    for name, row in errors.items():
        wins = np.less(row.mae_per_simulation, reference.mae_per_simulation).sum()
        numbers = (row.mae, row.median_error, row.ade, row.fde, row.nll)
        rows.append([name, *numbers, None if name == best else int(wins)])
    count = len(reference.mae_per_simulation)
    table = Table(
        f"Errors of all {len(forecasts.windows.truth)} windows over "
        f"{forecasts.windows.truth.shape[1]} steps. MAE and median: absolute error per coordinate; "
        "ADE, FDE: distance to the truth, mean over steps and at the last step; all in units of "
        "length. NLL: nats per particle and step. Last column: simulations with a lower MAE than "
        f"{best}, of {count}.",
        ["forecast", "MAE", "median", "ADE", "FDE", "NLL", f"wins of {count}"],
        [row for row in rows if row[0] in forecasts.models],
        [row for row in rows if row[0] in BASELINES],
        dict.fromkeys(("MAE", "median", "ADE", "FDE", "NLL"), "lowest"),
    )
    verdicts = [
        f"{measured.verdict[name].sentence} {_trust(forecasts, measured, name)}"
        for name in forecasts.models
    ]
    left_out = [f"Left out: {name}, because {why}." for name, why in measured.left_out.items()]
    cautions = [f"Sampled futures of {name}: {why}." for name, why in measured.cautions.items()]
    paragraphs = [*verdicts, *remarks, *cautions, *left_out]
    caption = (
        "Left and middle: forecast (red) over the truth (white) on the predicted density (colour); "
        "grey is what the model was given, and particles have their numbers where both end. Chosen "
        f"by rule: {overview.rule}."
    )
    figure = Figure(overview.path, caption, "Two forecasts and error curves", wide=True)
    return Section("Summary", paragraphs, [table], [figure])


def _trust(forecasts: Forecasts, measured: Measurements, name: str) -> str:
    """How far to trust a model, in words that follow from the numbers."""
    truth = forecasts.windows.truth
    extents = [np.std(forecasts.in_window(truth, w), axis=(0, 1)) for w in range(len(truth))]
    tenth = 0.1 * np.mean(extents)
    within = np.less(measured.errors[name].median_error_per_step, tenth)
    steps = len(within) if within.all() else int(within.argmin())
    calibration = measured.calibration[name]["as trained"]
    observed = calibration.overall_coverage[calibration.levels.index(0.8)]
    return (
        f"Half of all coordinates are forecast to a tenth of the system's extent ({tenth:.2g}) for "
        f"{steps} steps. Its 80 % regions contain the truth in {100 * observed:.0f} % of cases."
    )


def _errors(forecasts: Forecasts, figures: Mapping[str, Path]) -> Section:
    text = (
        "A few large errors dominate means; medians tell more about the typical particle. "
        "Baselines learn nothing or nearly nothing"
    )
    if "known law" in forecasts.positions:
        text += ", except for the known law, which knows everything but the velocities"
    return Section(
        "Error against steps ahead",
        [f"{text}."],
        figures=[
            Figure(
                figures["errors"],
                "Mean (left) and median (right) absolute error per coordinate. Bands: quartiles "
                "over simulations.",
                "Error curves of all forecasts",
                wide=True,
            ),
            Figure(
                figures["likelihood"],
                "Negative log-likelihood (left) and continuous ranked probability score (right) "
                "of the predicted densities: as trained, with sigma recalibrated on the validation "
                "split, and (CRPS) of sampled futures, as drawn and recalibrated. Lower is better.",
                "Scores of the densities by step",
                wide=True,
            ),
        ],
    )


def _calibration(measured: Measurements, figures: Mapping[str, Path]) -> Section:
    plain = next(iter(measured.calibration.values()))["as trained"]
    names = [f"{100 * level:.0f}\N{NO-BREAK SPACE}%" for level in plain.levels]
    rows: list[Row] = [
        [
            f"{name}, {kind}",
            *each.overall_coverage,
            None if (error := each.coverage_standard_error) is None else max(error),
            None if kind.startswith("sampled") else each.nll,
            each.crps,
        ]
        for name, kinds in measured.calibration.items()
        for kind, each in kinds.items()
    ]
    table = Table(
        "Fraction of true positions within the regions of highest predicted density that should "
        "contain 50, 80 and 95 %; the standard error is that of independent simulations. NLL in "
        "nats, CRPS in units of length. As trained and recalibrated: what was predicted with "
        "the feedback of training. Sampled: by the rank of the truth among futures drawn for "
        f"{measured.num_sampled_windows} of the windows, and recalibrated: moved about their mean "
        "by factors from the validation split; CRPS of the futures themselves, NLL not "
        "told, since few futures that part leave gaps between their densities.",
        ["density", *names, "standard error", "NLL", "CRPS"],
        rows,
        best=dict(zip(names, plain.levels, strict=True)),
        digits=3,
    )
    return Section(
        "Can the stated uncertainty be trusted?",
        [
            "A forecast is calibrated if its regions of 50, 80 and 95 % contain the truth as often "
            "as they say, at every step, and if the probability that it gives to smaller "
            "coordinates than the true one (PIT) is uniform. Below the nominal coverage, or with a "
            "U-shaped histogram, it is too sure of itself; above it, or with a hump, not sure "
            "enough."
        ],
        [table],
        [
            Figure(
                figures["calibration"],
                "Coverage against steps ahead (left) and PIT histogram (right) as trained.",
                "Coverage curves and PIT histogram",
                wide=True,
            ),
            Figure(
                figures["spread"],
                "Predicted standard deviation (dashed) and error (solid), root mean squares (left) "
                "and medians (right), scaled so that they agree for a calibrated Gaussian.",
                "Predicted spread and error by step",
                wide=True,
            ),
        ],
    )


def _samples(measured: Measurements, figures: Mapping[str, Path]) -> Section:
    rows: list[Row] = [
        [
            name,
            each.energy_score,
            each.mae_of_median,
            each.ade_of_mean,
            each.fde_of_mean,
            each.ade,
            each.fde,
            each.best_ade,
            each.best_fde,
            statistics.median(each.spread_skill_per_step),
        ]
        for name, each in measured.samples.items()
    ]
    count = next(iter(measured.samples.values())).num_samples
    header = [
        "model",
        "energy score",
        "MAE of median",
        "ADE of mean",
        "FDE of mean",
        "ADE",
        "FDE",
        f"best ADE of {count}",
        f"best FDE of {count}",
        "spread / skill",
    ]
    table = Table(
        f"{count} futures drawn for each of {measured.num_sampled_windows} windows, in units of "
        "length: energy score (a proper score of the whole distribution), error of the median of "
        "all futures per coordinate and of their mean, mean error of a future, and error of the "
        "best future of each particle, which rewards spread and is no proper score; spread by "
        "error of the mean, the median over steps, which is one if the truth could be one more "
        "future. Recalibrated: the same futures, moved about their mean by factors from the "
        "validation split.",
        header,
        rows,
        best=dict.fromkeys(
            ("energy score", "MAE of median", "ADE of mean", "FDE of mean"), "lowest"
        ),
    )
    figure = Figure(
        figures["futures"],
        "How often the truth is among the futures, by its rank (left), and their standard "
        "deviation by the error of their mean (right), which few large errors make. Models that "
        "hold no conditional densities are left out, unless no model does.",
        "Coverage and spread of sampled futures by step",
        wide=True,
    )
    return Section("Many futures for one past", tables=[table], figures=[figure])


def _gallery(gallery: Mapping[str, Picture]) -> Section:
    figures = [
        Figure(
            picture.path,
            f"Chosen by rule: {picture.rule}.",
            picture.rule,
            wide=name != "animation",
        )
        for name, picture in gallery.items()
    ]
    return Section(
        "Gallery",
        [
            "Truth in white, forecast in red, the past that was given in grey, on the predicted "
            "density of all steps together; its colours follow the fourth root. Each particle has "
            "its number where truth and forecast end."
        ],
        figures=figures,
    )


def _interactions(measured: Measurements, figures: Mapping[str, Path]) -> Section:
    shown = [
        Figure(
            figures[f"interaction_{number}"],
            f"{name}: {interaction_caption(interaction)}",
            f"Learned interaction of {name}",
            wide=True,
        )
        for number, (name, interaction) in enumerate(measured.interactions.items(), start=1)
    ]
    return Section(
        "What has been learned of the interaction",
        [
            "Asked for two particles alone, at rest until now, a model shows the law that it has "
            "found in trajectories; no force was given to it."
        ],
        figures=shown,
    )


def _physics(measured: Measurements, figures: Mapping[str, Path]) -> Section:
    rows: list[Row] = [
        [
            name,
            drift.momentum_drift[-1],
            drift.center_of_mass_deviation[-1],
            None if drift.energy_drift is None else drift.energy_drift[-2:][0],
            drift.kinetic_energy[-2:][0],
            drift.radius[-1],
        ]
        for name, drift in measured.conservation.items()
    ]
    yardsticks = ("truth", *BASELINES)
    table = Table(
        "Medians over the windows at the last step (kinetic and total energy: at the last but "
        "one, because the difference quotient errs most at the end). Momentum drift relative to "
        "the sum of m|v| at the start; deviation of the centre of mass from uniform motion and "
        "root-mean-square distance from it in units of length; energies relative to the kinetic "
        "energy of the past. The truth shows what difference quotients of positions can resolve.",
        ["forecast", "momentum", "centre of mass", "energy", "kinetic energy", "extent"],
        [row for row in rows if row[0] not in yardsticks],
        [row for row in rows if row[0] in yardsticks],
    )
    shown = [
        Figure(
            figures["conservation"],
            "Drift of conserved quantities along the forecasts.",
            "Drift of momentum and energy by step",
            wide=True,
        ),
    ]
    if "long_conservation" in figures:
        shown.append(
            Figure(
                figures["long_conservation"],
                "The same ten times beyond the training horizon, where the known law stands for "
                "the truth.",
                "Drift of momentum and energy over ten times as many steps",
                wide=True,
            )
        )
    if "nearest_distances" in figures:
        shown.append(
            Figure(
                figures["nearest_distances"],
                "Cumulative distribution of distances to the nearest neighbour within the training "
                "horizon and, where a law is known, ten times beyond it (right). Above the truth, "
                "or above the known law: particles come too close to each other.",
                "Cumulative distributions of nearest distances",
                wide=True,
            )
        )
    return Section(
        "Physics of the forecast",
        ["No law of motion is built in, so nothing but learning makes a forecast obey one."],
        [table],
        shown,
    )


def _close_approaches(measured: Measurements, figures: Mapping[str, Path]) -> Section:
    rows: list[Row] = []
    for name, quantities in measured.around_close_approaches.items():
        sigma, error = quantities["sigma"], quantities["error"]
        rows.append(
            [name, sigma.ratio, sigma.control_ratio, error.ratio, error.control_ratio, sigma.count]
        )
    width = next(iter(measured.around_close_approaches.values()))["sigma"].offsets[-1]
    table = Table(
        f"By which factor predicted sigma and actual error grow from {width} steps before a close "
        f"approach to {width} steps after it, and over the same steps for particles that stay away "
        "from all others (control). Medians.",
        ["model", "sigma", "sigma, control", "error", "error, control", "approaches"],
        rows,
        digits=2,
    )
    figure = Figure(
        figures["close_approaches"],
        "Left: final error by the closest approach of a particle within its window. Right: "
        "predicted sigma (red) and error (black) around close approaches, medians and quartiles; "
        "dashed, particles that stay away, at the same steps ahead. Growth beyond that of the "
        "control is due to the approach.",
        "Errors by closest approach, sigma and error around close approaches",
        wide=True,
    )
    return Section("Close approaches", tables=[table], figures=[figure])
