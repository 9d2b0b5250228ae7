"""Measure trained models beside the forecasts that they have to beat; write a report.

    socialmd evaluate runs/mine acceleration data/monopoles report

Every window of the test split is forecast once, not rotated: by each model, by constant position
and constant velocity, by a linear autoregression fitted to the training split, and, where the data
set names its law of motion, by integrating that law. In the output folder arise

    report.html     everything on one page that opens from disk: verdicts, errors, calibration,
                    sampled futures, physics of the forecasts, close approaches, a gallery
    metrics.json    every number; `socialmd.evaluation` explains the keys
    figures/        each figure as PNG and PDF, and an animation

The first model's configuration says how trajectories become windows, and its errors choose the
windows of the gallery.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socialmd.commands.command_line import (
    MODEL,
    make_parser,
    number_of_samples,
    parse_first,
    positive_integer,
    run_script,
    typed_command,
)
from socialmd.data.dataset_description import DESCRIPTION_FILE, SPLITS, checksum


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("evaluate", __doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="model", help=MODEL)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("output", type=Path, help="folder to write to")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--max-windows", type=positive_integer, help="evenly spread; default: all")
    parser.add_argument(
        "--num-samples",
        type=number_of_samples,
        default=20,
        help="futures to draw for each past, 0 for none; default: 20",
    )
    parser.add_argument(
        "--sampled-windows",
        type=positive_integer,
        default=40,
        help="pasts to draw them for, evenly spread; default: 40",
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

import numpy as np

from socialmd.config import DataConfig
from socialmd.data import Windows
from socialmd.evaluation import comparison
from socialmd.files import write_json
from socialmd.reporting import (
    Forecasts,
    Measurements,
    compare_windows,
    compose_report,
    draw_figures,
    draw_gallery,
    draw_overview,
    forecast_windows,
    load_models,
    measure,
    overall_table,
    step_table,
)
from socialmd.training.training_folder import tables_about

UNITS = {
    "mae, median_error": "units of length, per coordinate",
    "ade, fde, energy_score, crps": "units of length",
    "nll": "nats per particle and step",
    "*_per_step": "one number for each step of the forecast, the first step first",
    "*_per_simulation": "one number for each simulation, in the order of the file names",
    "mae_per_simulation_and_step": "likewise, one for each step",
    "verdict": "error: mean over simulations; interval: of the difference between the two",
    "conservation": "relative to the start, or units of length",
}
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the script.

    Args:
        argv: command line arguments; those of the process if none are given.
    """
    typed = sys.argv[1:] if argv is None else argv
    arguments = _parse(typed)
    models = load_models(arguments.models)
    config = next(iter(models.values())).experiment.data
    remarks = compare_windows(models)
    print(*remarks, sep="\n", end="\n" if remarks else "")
    output: Path = arguments.output

    forecasts = forecast_windows(
        models, config, arguments.data, arguments.split, arguments.max_windows
    )
    measured = measure(forecasts, arguments.num_samples, arguments.sampled_windows)
    name_units = forecasts.description.name_units
    description: dict[str, Any] = {
        "models": {
            name: {"trainable_parameters": model.num_trainable_parameters}
            for name, model in models.items()
        },
        "data": _describe_data(arguments.data, arguments.split, config, forecasts),
        "remarks": remarks,
        "units": {key: name_units(meaning) for key, meaning in UNITS.items()},
    }
    write_json(output / "metrics.json", {**description, **measured.to_json()})
    print_tables(forecasts, measured, arguments.data / arguments.split)

    figures = output / "figures"
    curves = draw_figures(forecasts, measured, figures)
    overview = draw_overview(forecasts, measured, figures)
    gallery = draw_gallery(forecasts, figures)
    data = description["data"]
    subtitle = (
        f"{data['windows']} windows of {data['simulations']} simulations from the {data['split']} "
        f"split of {data['name']}: {data['particles']} particles, {data['input_steps']} frames "
        f"given, {data['target_steps']} forecast, {data['step_spacing']:.4g} apart"
    )
    report = compose_report(
        forecasts,
        measured,
        curves,
        overview,
        gallery,
        _made_by(typed, forecasts),
        subtitle,
        remarks,
    )
    report.write(output / "report.html", name_units)
    print(f"\nReport: {output / 'report.html'}, numbers: metrics.json, pictures: figures/ there")


def print_tables(forecasts: Forecasts, measured: Measurements, split: Path) -> None:
    """The most important numbers."""
    metrics = measured.errors
    unit = forecasts.description.name_units("length units")
    print(f"{len(forecasts.windows.truth)} windows of {split}; errors in {unit}\n")
    print(overall_table(metrics), step_table(metrics), sep="\n\n", end="\n\n")
    for name, caution in measured.cautions.items():
        print(f"Sampled futures of {name}: {caution}.")
    for name, reason in measured.left_out.items():
        print(f"{name}: left out, because {reason}.")
    print(*(verdict.sentence for verdict in measured.verdict.values()), sep="\n")
    first, *others = forecasts.models
    for name in others:
        print(comparison(metrics, name, first))
    for name, kinds in measured.calibration.items():
        for kind, each in kinds.items():
            coverage = ", ".join(
                f"{observed:.0%} in {level:.0%}"
                for level, observed in zip(each.levels, each.overall_coverage, strict=True)
            )
            print(f"Truth within regions of {name}, {kind}: {coverage}.")


def _describe_data(
    data: Path, split: str, config: DataConfig, forecasts: Forecasts
) -> dict[str, Any]:
    windows = forecasts.windows
    return {
        "name": Path(os.path.abspath(data)).name,
        "split": split,
        "description_sha256": checksum(data / DESCRIPTION_FILE),
        "features": list(forecasts.description.features),
        "windows": len(windows.truth),
        "simulations": len(np.unique(windows.simulations)),
        "particles": _count_particles(windows),
        "input_steps": config.input_steps,
        "target_steps": config.target_steps,
        "step_spacing": forecasts.spacing,
    }


def _count_particles(windows: Windows) -> int | str:
    """N, or a range of numbers."""
    if windows.mask is None:
        return int(windows.truth.shape[2])
    counts = windows.mask.sum(axis=1)
    return f"{counts.min()} to {counts.max()}"


def _made_by(typed: Sequence[str], forecasts: Forecasts) -> dict[str, str]:
    """Title -> text: what somebody needs to make the same report."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    versions.append(f"Python {platform.python_version()}")
    tables = set(tables_about(forecasts.description))
    return {
        "Command": typed_command("evaluate", typed),
        "Versions": "\n".join(versions),
        **{
            f"Configuration of {name}": json.dumps(
                model.experiment.model_dump(mode="json", include=tables), indent=2
            )
            for name, model in forecasts.models.items()
        },
    }


if __name__ == "__main__":
    run_script(main)
