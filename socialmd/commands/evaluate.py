"""Measure trained models beside the forecasts that they have to beat; write a report.

    socialmd evaluate runs/mine acceleration data/monopoles report

Every window of the test split is forecast once, not rotated: by each model, by constant position
and constant velocity, by a linear autoregression fitted to the training split, and, where the data
set names its law of motion, by integrating that law. In the output folder arise

    report.html     everything on one page that opens from disk: verdicts, errors, calibration,
                    sampled futures, physics of the forecasts, close approaches, a gallery, and
                    whether forecasts depend on their input at all
    metrics.json    every number; the measures in `socialmd.reporting.measures` explain the keys
    figures/        each figure as PNG and PDF, and an animation

What is not possible is left out, with the reason. The first model's configuration says how
trajectories become windows, and its errors choose the windows of the gallery. With `--filter
momentum` (or `energy`, `rotation`), each model forecasts once more with a conservation filter,
under a name of its own; a table puts what that costs beside what it conserves. `--import my_module`
imports a module that registers baselines and measures of your own, or layers and distributions that
models need.
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
    add_filters,
    add_import,
    import_modules,
    make_parser,
    number_of_samples,
    parse_first,
    positive_integer,
    run_script,
    typed_command,
)
from socialmd.data.dataset_description import DESCRIPTION_FILE, SPLITS, checksum, read_description


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("evaluate", __doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="model", help=MODEL)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("output", type=Path, help="folder to write to")
    parser.add_argument(
        "--split", choices=SPLITS, help="default: test, or validation if there is no such split"
    )
    parser.add_argument(
        "--num-steps", type=positive_integer, help="to forecast; default: as many as in training"
    )
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
    add_filters(parser, "forecast once more with", "with each of them")
    add_import(parser)
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

import keras
import numpy as np

from socialmd.config import DataConfig
from socialmd.files import write_json
from socialmd.reporting import (
    FigureFolder,
    ForecastEvaluation,
    Forecasts,
    compare_windows,
    forecast_windows,
    load_models,
)
from socialmd.reporting.measure import measures
from socialmd.training.training_folder import tables_about

PACKAGES = {
    "tensorflow": ("tensorflow", "keras", "tensorflow-probability", "numpy"),
    "jax": ("jax", "keras", "numpy"),
}
SUBTITLE = """\
{windows} windows of {simulations} simulations from the {split} split of {name}: {particles} \
particles, {input_steps} frames given, {target_steps} forecast, {step_spacing:.4g} apart"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    typed = sys.argv[1:] if argv is None else argv
    arguments = _parse(typed)
    import_modules(arguments.modules)
    models = load_models(arguments.models)
    config = next(iter(models.values())).experiment.data
    if arguments.num_steps is not None:
        config = config.model_copy(update={"target_steps": arguments.num_steps})
    remarks = compare_windows(models)
    print(*remarks, sep="\n", end="\n" if remarks else "")
    output: Path = arguments.output
    split = arguments.split or default_split(arguments.data)

    forecasts = forecast_windows(
        models, config, arguments.data, split, arguments.max_windows, arguments.filters
    )
    evaluation = ForecastEvaluation(forecasts, arguments.num_samples, arguments.sampled_windows)
    name_units = forecasts.description.name_units
    units = {key: unit for measure in measures() for key, unit in measure.units.items()}
    data = _describe_data(arguments.data, split, config, forecasts)
    sizes = {
        name: {"trainable_parameters": m.num_trainable_parameters} for name, m in models.items()
    }
    numbers = {
        "models": sizes,
        "data": data,
        "remarks": remarks,
        "units": {key: name_units(unit) for key, unit in units.items()},
        **evaluation.to_json(),
    }
    write_json(output / "metrics.json", numbers)
    unit = name_units("length units")
    print(f"{data['windows']} windows of {arguments.data / split}; errors in {unit}\n")
    print(evaluation.text())

    figures = FigureFolder(output / "figures", name_units)
    made_by = _made_by(typed, forecasts)
    report = evaluation.report(figures, SUBTITLE.format(**data), remarks, made_by)
    report.write(output / "report.html", name_units)
    print(f"\nReport: {output / 'report.html'}, numbers: metrics.json, pictures: figures/ there")


def default_split(data: Path) -> str:
    """The test split, or, where there is none, the validation split, which chose the weights."""
    has = read_description(data).files_of
    return "validation" if has("validation") and not has("test") else "test"


def _describe_data(
    data: Path, split: str, config: DataConfig, forecasts: Forecasts
) -> dict[str, Any]:
    windows = forecasts.windows
    particles: int | str = windows.truth.shape[2]
    if windows.mask is not None:
        counts = windows.mask.sum(axis=1)
        particles = f"{counts.min()} to {counts.max()}"
    return {
        "name": Path(os.path.abspath(data)).name,
        "split": split,
        "description_sha256": checksum(data / DESCRIPTION_FILE),
        "features": list(forecasts.description.features),
        "windows": len(windows.truth),
        "simulations": len(np.unique(windows.simulations)),
        "particles": particles,
        "input_steps": config.input_steps,
        "target_steps": config.target_steps,
        "step_spacing": forecasts.spacing,
    }


def _made_by(typed: Sequence[str], forecasts: Forecasts) -> dict[str, str]:
    """Title -> text: what somebody needs to make the same report."""
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in PACKAGES[keras.backend.backend()]
    ]
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
            if name not in forecasts.filtered
        },
    }


if __name__ == "__main__":
    run_script(main)
