"""Measure a trained model beside the forecasts that it has to beat.

    python pipelines/evaluate.py runs/mine data/monopoles --beside saved_models/acceleration

Every window of the test split is forecast once, not rotated: by the model, by other trained models
that are to stand beside it, by constant position and constant velocity, by a linear autoregression
fitted to the training split, and, where the data set names its law of motion, by integrating that
law. Prints tables, draws two forecasts and the errors step by step, and writes `metrics.json`,
whose keys `socialmd.evaluation.ForecastMetrics` explains.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from socialmd.command_line import positive_integer
from socialmd.config import DataConfig, ExperimentConfig, ManyBodySystem
from socialmd.data import DatasetDescription, Windows, make_dataset, read_windows
from socialmd.dataset_folder import (
    DESCRIPTION_FILE,
    SPLITS,
    checksum,
    read_description,
    write_atomically,
)
from socialmd.evaluation import (
    ForecastMetrics,
    comparison,
    overall_table,
    position_density,
    step_table,
)
from socialmd.models import (
    LinearAutoregression,
    SocialLSTM,
    constant_position,
    constant_velocity,
    known_law,
    load,
    load_model,
)
from socialmd.plots import animate_forecast, new_figure, plot_errors, plot_forecast

Forecast = Callable[[NDArray[Any]], NDArray[Any]]  # inputs [W, T, N, F] -> [W, T', N, 2]

BASELINES = ("constant position", "constant velocity", "linear autoregression", "known law")

UNITS = {
    "mae, median_error": "units of length, per coordinate",
    "ade, fde": "units of length, distance in the plane",
    "nll": "nats per particle and step",
    "*_per_step": "one number for each step of the forecast, the first step first",
    "mae_per_simulation": "one number for each simulation, in the order of the file names",
}


class Evaluation(NamedTuple):
    """Every forecast [W, T', N, 2] by its name, and what the model alone gives.

    Args:
        windows: what was forecast.
        forecasts: positions by name, `"model"` first.
        parameters: of the model's distributions, [W, T', N, P].
        log_probabilities: log p of the truth, [W, T', N], of every trained model by its name.
        left_out: forecasts that were not possible, with the reason.
    """

    windows: Windows
    forecasts: dict[str, NDArray[Any]]
    parameters: NDArray[Any]
    log_probabilities: dict[str, NDArray[Any]]
    left_out: dict[str, str]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the script.

    Args:
        argv: command line arguments; those of the process if none are given.
    """
    arguments = _parse(argv)
    model, config = load_model(arguments.model)
    others = {path.resolve().name: load(path) for path in arguments.beside}
    evaluation = evaluate(
        model, config, arguments.data, arguments.split, arguments.max_windows, others
    )
    metrics = measure(evaluation)

    is_file = arguments.model.suffix == ".keras"
    folder = arguments.model.parent if is_file else arguments.model
    output = arguments.output or folder / "evaluation"
    report = {
        "model": {
            "name": arguments.model.resolve().name,
            "trainable_parameters": sum(math.prod(w.shape) for w in model.trainable_weights),
        },
        "data": _describe_data(arguments.data, arguments.split, config.data, evaluation.windows),
        "units": UNITS,
        "forecasts": {name: dataclasses.asdict(row) for name, row in metrics.items()},
        "left_out": evaluation.left_out,
    }
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    write_atomically(output / "metrics.json", lambda file: file.write(text.encode()))

    print(f"{len(evaluation.windows.truth)} windows of {arguments.data / arguments.split}\n")
    print(overall_table(metrics), step_table(metrics), sep="\n\n", end="\n\n")
    for name, reason in evaluation.left_out.items():
        print(f"{name} is left out: {reason}.")
    print(comparison(metrics, "model", "constant velocity"))
    for name in others:
        print(comparison(metrics, name, "model"))
    draw(model, evaluation, metrics, output)
    print(f"Numbers in {output / 'metrics.json'}, pictures in forecast.png and forecast.gif there")


def evaluate(
    model: SocialLSTM,
    config: ExperimentConfig,
    data: Path,
    split: str = "test",
    max_windows: int | None = None,
    others: Mapping[str, SocialLSTM] | None = None,
) -> Evaluation:
    """Forecast the windows of one split with the model, with others and with all baselines.

    Args:
        model: the trained model.
        config: of its experiment; says how trajectories become windows.
        data: folder of the data set.
        split: `"test"`, say.
        max_windows: at most so many windows, evenly spread over the split; all if none is given.
        others: trained models to stand beside it, by name.

    Returns:
        All arrays that were computed.

    Raises:
        FileNotFoundError: the data set or the split is missing.
        ValueError: the data are not such as the models were made for, or another model has the
            name of a baseline.
        FloatingPointError: the model's forecast has become infinite.
    """
    description = read_description(data)
    others = others or {}
    if taken := {"model", *BASELINES} & others.keys():
        raise ValueError(f"others: expected names that are not taken, found {taken.pop()!r}")
    models = {"model": model, **others}
    for name, each in models.items():
        if len(description.features) != each.num_features:
            raise ValueError(
                f"{data}: expected the {each.num_features} features of {name}, found "
                f"{', '.join(description.features)}"
            )
    windows = read_windows(data, split, config.data, max_windows)
    baselines, left_out = _baselines(data, description, config)
    positions, parameters, log_probabilities = {}, {}, {}
    for name, each in models.items():
        positions[name], parameters[name] = _roll_out(each, windows, config, name)
        log_probability = each.distribution(parameters[name]).log_prob(windows.truth)
        log_probabilities[name] = keras.ops.convert_to_numpy(log_probability)
    forecasts = {name: forecast(windows.inputs) for name, forecast in baselines.items()}
    return Evaluation(
        windows=windows,
        forecasts={**positions, **forecasts},
        parameters=parameters["model"],
        log_probabilities=log_probabilities,
        left_out=left_out,
    )


def _roll_out(
    model: SocialLSTM, windows: Windows, config: ExperimentConfig, name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Positions [W, T', N, 2] and parameters [W, T', N, P], computed batch by batch."""
    batches = np.array_split(windows.inputs, -(-len(windows.inputs) // config.training.batch_size))
    rollouts = [
        model.rollout(batch, config.data.target_steps)
        for batch in tqdm(batches, desc=name, disable=None)
    ]
    positions, parameters = (np.concatenate(arrays) for arrays in zip(*rollouts, strict=True))
    return positions, parameters


def measure(evaluation: Evaluation) -> dict[str, ForecastMetrics]:
    """Metrics of every forecast, by its name."""
    return {
        name: ForecastMetrics.from_arrays(
            evaluation.windows.truth,
            forecast,
            evaluation.log_probabilities.get(name),
            evaluation.windows.simulations,
        )
        for name, forecast in evaluation.forecasts.items()
    }


def draw(
    model: SocialLSTM, evaluation: Evaluation, metrics: dict[str, ForecastMetrics], output: Path
) -> None:
    """Draw a typical and a bad forecast, chosen by rule, and the errors of all forecasts by step.

    Args:
        model: whose densities are drawn.
        evaluation: what was forecast.
        metrics: of every forecast, by its name.
        output: folder for `forecast.png` and `forecast.gif`.
    """
    windows, forecast = evaluation.windows, evaluation.forecasts["model"]
    errors = np.abs(forecast - windows.truth).mean(axis=(1, 2, 3))  # [W]
    by_error = np.argsort(errors)
    figure, axes = new_figure(16, 5.2, columns=3)
    for ax, quantile, name in zip(axes, (0.5, 0.9), ("median", "worst decile"), strict=False):
        window = by_error[int(quantile * (len(errors) - 1))]
        past, truth = windows.inputs[window, ..., :2], windows.truth[window]
        half = 1.05 * float(max(np.abs(past).max(), np.abs(truth).max()))
        extent = (-half, half, -half, half)
        density = position_density(model.distribution(evaluation.parameters[window]), extent)
        title = f"Forecast of {name} error (MAE {errors[window]:.3f})"
        plot_forecast(ax, past, truth, forecast[window], density, extent, title)
        if name == "median":
            animate_forecast(output / "forecast.gif", past, truth, forecast[window], extent)
    plot_errors(axes[2], {name: row.mae_per_step for name, row in metrics.items()})
    write_atomically(output / "forecast.png", lambda file: figure.savefig(file, format="png"))


def _baselines(
    data: Path, description: DatasetDescription, config: ExperimentConfig
) -> tuple[dict[str, Forecast], dict[str, str]]:
    """Forecasts by name, and the reasons for those that are not possible."""
    steps = config.data.target_steps
    baselines: dict[str, Forecast] = {
        "constant position": lambda inputs: constant_position(inputs, steps),
        "constant velocity": lambda inputs: constant_velocity(inputs, steps),
    }
    left_out = {}
    if any(Path(name).parts[0] == "train" for name in description.files):
        autoregression = LinearAutoregression(steps)
        as_stored = config.data.model_copy(update={"num_rotations": 0})
        autoregression.fit(make_dataset(data / "train", as_stored, batch_size=256))
        baselines["linear autoregression"] = lambda inputs: autoregression.forecast(inputs, steps)
    else:
        left_out["linear autoregression"] = "the data set has no training split to fit it to"
    if description.law is None:
        left_out["known law"] = "the data set names no law of motion"
    elif description.features != ("x", "y", "mass", "charge"):
        left_out["known law"] = "the law needs the features x, y, mass, charge"
    else:
        system = ManyBodySystem.model_validate(description.law)
        spacing = description.frame_spacing * config.data.subsample
        baselines["known law"] = lambda inputs: known_law(inputs, steps, system, spacing)
    return baselines, left_out


def _describe_data(data: Path, split: str, config: DataConfig, windows: Windows) -> dict[str, Any]:
    description = read_description(data)
    return {
        "name": data.resolve().name,
        "split": split,
        "description_sha256": checksum(data / DESCRIPTION_FILE),
        "features": list(description.features),
        "windows": len(windows.truth),
        "simulations": len(np.unique(windows.simulations)),
        "particles": windows.truth.shape[2],
        "input_steps": config.input_steps,
        "target_steps": config.target_steps,
        "step_spacing": description.frame_spacing * config.subsample,
    }


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path, help="folder that training wrote, or .keras file")
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument(
        "--beside", type=Path, nargs="+", default=[], help="other trained models, for comparison"
    )
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--max-windows", type=positive_integer, help="evenly spread; default: all")
    parser.add_argument("--output", type=Path, help="default: evaluation/ beside the model")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
