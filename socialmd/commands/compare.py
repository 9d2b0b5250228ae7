"""Compare variants of one network: the same budget for each, and several seeds.

    socialmd compare comparisons comparison_base data/monopoles comparison

The first file says what is compared, the second one is the reference. Every variant is trained with
every seed, in a process of its own, in `comparison/VARIANT/seed_K`. Early stopping is off, so that
all see equally many samples. The same command continues after an interruption, and trains only what
is missing when seeds or variants were added. From all trainings that are complete arise

    comparison.md      a table for each comparison: errors on the test split, time, memory
    comparison.json    every number of every seed
    NAME.png           for each comparison, the validation losses by epoch; where training has
                       phases, whose losses do not compare, test errors by steps ahead
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from socialmd.commands.command_line import (
    CONFIGURATION,
    add_seeds,
    add_verbose,
    make_parser,
    parse_first,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("compare", __doc__)
    parser.add_argument("comparisons", help=f"what is compared: {CONFIGURATION}")
    parser.add_argument("base", type=Path, help=f"the reference: {CONFIGURATION}")
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("output", type=Path, help="folder for trainings, tables and figures")
    add_seeds(parser)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="train for these comparisons")
    parser.add_argument("--summary-only", action="store_true", help="train nothing")
    add_verbose(parser, 0)
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

import numpy as np

from socialmd import load_config
from socialmd.config import DataConfig, ExperimentConfig
from socialmd.data import read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import ConstantVelocity, ForecastMetrics
from socialmd.files import save_figure, write_json, write_text
from socialmd.plots import new_figure, plot_errors, plot_learning_curves
from socialmd.reporting.variant_table import variant_table
from socialmd.run_apart import run_apart
from socialmd.training import fit, read_history
from socialmd.training.comparisons import REFERENCE, Comparison, read_comparisons
from socialmd.training.history import HISTORY_FILE
from socialmd.training.training_cost import TrainingCost
from socialmd.training.training_folder import check_same_experiment

MEASUREMENTS, TEST = "measurements.json", "test.json"

UNITS = {
    "nll, val_loss": "nats per particle and step; in phases with other losses, theirs",
    "mae, median_error, val_mae": "units of length, per coordinate",
    "ade, fde": "units of length, distance in the plane",
    "seconds_per_step": "median over the training steps",
    "peak_memory_bytes": "resident memory of the process that trained, libraries included",
}
EXPLANATION = """\
Errors are those of the best epoch's weights (of the last phase) on the test split, mean ± standard
deviation over seeds: NLL in nats per particle and step, mean and median absolute error per
coordinate and FDE, the distance after the last step, in units of length. Time per training step and
peak memory of the training process, libraries included, are medians over seeds."""

Results = dict[str, dict[int, dict[str, Any]]]  # variant -> seed -> numbers


class Run(NamedTuple):
    """One training: what, and where."""

    variant: str
    seed: int
    config: ExperimentConfig
    folder: Path

    @property
    def is_complete(self) -> bool:
        """Whether it has been trained and evaluated."""
        return (self.folder / TEST).is_file()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    arguments = _parse(argv)
    data, output = arguments.data, arguments.output
    base = load_config(arguments.base)
    comparisons = read_comparisons(arguments.comparisons, base)
    if unknown := sorted(set(arguments.only or ()) - set(comparisons)):
        raise ValueError(
            f"--only: expected some of {', '.join(comparisons)}, found {', '.join(unknown)}"
        )
    chosen = [comparisons[name].experiments for name in arguments.only or comparisons]
    wanted = [  # seed by seed: the first round can be compared already
        make_run(variant, experiment, seed, output)
        for seed in range(arguments.seeds)
        for variant, experiment in _union(chosen).items()
    ]
    found = [
        make_run(variant, experiment, seed, output)
        for variant, experiment in _union(c.experiments for c in comparisons.values()).items()
        for seed in find_seeds(output / variant)
    ]
    runs = {run.folder: run for run in [*wanted, *found]}.values()
    for run in runs:
        check_same_experiment(run.folder, run.config, data)
    splits = ("validation", "test")
    baselines = {split: measure_constant_velocity(data, split, base.data) for split in splits}
    failed = [] if arguments.summary_only else train_all(wanted, data, arguments.verbose)

    results = collect(runs)
    experiment = {
        "reference": arguments.base.stem,
        "data": Path(os.path.abspath(data)).name,
        "epochs": sum(phase.epochs or 0 for phase in base.training.schedule),
        "batch_size": base.training.batch_size,
    }
    name_units = read_description(data).name_units
    write_report(output, experiment, comparisons, results, baselines, name_units)
    print(f"Tables in {output / 'comparison.md'}")
    if failed:
        raise RuntimeError(f"some trainings failed, the reasons are above: {', '.join(failed)}")


# === Trainings ===


def make_run(variant: str, experiment: ExperimentConfig, seed: int, output: Path) -> Run:
    """Training of one variant; patience of all epochs means no early stopping."""
    training = experiment.training
    phases = [
        phase.model_copy(update={"patience": phase.epochs or training.epochs})
        for phase in training.phases
    ]
    update = {"seed": seed, "patience": training.epochs, "phases": tuple(phases)}
    config = experiment.model_copy(update={"training": training.model_copy(update=update)})
    return Run(variant, seed, config, output / variant / f"seed_{seed}")


def find_seeds(folder: Path) -> list[int]:
    """Seeds that a variant has been trained with, or begun to be."""
    names = (path.name.removeprefix("seed_") for path in folder.glob("seed_*"))
    return sorted(int(name) for name in names if name.isdecimal())


def train_all(runs: Sequence[Run], data: Path, verbose: int = 0) -> list[str]:
    """Train and evaluate what is not complete; one that fails does not stop the others.

    Returns the folders of those that failed; their processes have printed why.
    """
    failed = []
    for number, run in enumerate(runs, start=1):
        print(f"[{number}/{len(runs)}] {run.variant}, seed {run.seed}: ", end="", flush=True)
        if run.is_complete:
            print("complete")
            continue
        start = time.monotonic()
        succeeded = run_apart(train, run, data, verbose) == 0
        print(f"{'took' if succeeded else 'failed after'} {time.monotonic() - start:.0f} s")
        if not succeeded:
            failed.append(str(run.folder))
    return failed


def train(run: Run, data: Path, verbose: int = 0) -> None:
    """Train, or continue an interrupted training, and measure the result on the test split.

    `measurements.json` and `test.json` arise beside what `socialmd.training.fit` leaves.
    """
    cost = TrainingCost(run.folder / MEASUREMENTS)
    model = fit(run.config, data, run.folder, [cost], verbose=verbose)

    windows = read_windows(data, "test", run.config.data)
    positions, parameters = model.rollout(windows.past, feedback=model.point_feedback, seed=0)
    positions = windows.real(positions[..., : model.spatial_dims])
    parameters = windows.real(parameters)
    windows = windows.of_particles()
    log_probabilities = model.distribution(parameters).log_prob(windows.truth)
    metrics = ForecastMetrics.from_arrays(
        windows.truth, positions, log_probabilities, windows.simulations
    )
    numbers = {"parameters": model.num_trainable_parameters, "test": asdict(metrics)}
    write_json(run.folder / TEST, numbers)


def measure_constant_velocity(data: Path, split: str, config: DataConfig) -> ForecastMetrics:
    """The simple forecast that every network has to beat."""
    windows = read_windows(data, split, config).of_particles()
    forecast, _ = ConstantVelocity().rollout(windows.inputs, config.target_steps)
    return ForecastMetrics.from_arrays(windows.truth, forecast, simulations=windows.simulations)


# === Report ===


def collect(runs: Iterable[Run]) -> Results:
    """Numbers of all complete trainings, with the seeds in order."""
    runs = sorted(runs, key=lambda run: run.seed)
    results: Results = {}
    for run in runs:
        if not run.is_complete:
            print(f"{run.variant}, seed {run.seed}: not complete, left out")
            continue
        measurements = run.folder / MEASUREMENTS  # missing where one step was all there was
        results.setdefault(run.variant, {})[run.seed] = {
            **json.loads((run.folder / TEST).read_text()),
            "training": json.loads(measurements.read_text()) if measurements.is_file() else None,
            "history": read_history(run.folder / HISTORY_FILE),
        }
    if not results:
        raise FileNotFoundError(f"{runs[0].folder.parents[1]}: found no complete training")
    return results


def write_report(
    output: Path,
    experiment: Mapping[str, Any],
    comparisons: Mapping[str, Comparison],
    results: Results,
    baselines: Mapping[str, ForecastMetrics],
    name_units: Callable[[str], str] = str,
) -> None:
    """Write `comparison.json`, `comparison.md` and the figures.

    Of comparisons whose reference or variants are missing there is no table. Baselines are constant
    velocity on the validation and on the test split; `experiment` is the same for all trainings.
    """
    settings = {
        name: {variant: comparison.settings(variant) for variant in comparison.experiments}
        for name, comparison in comparisons.items()
    }
    report = {
        "experiment": experiment,
        "units": {key: name_units(meaning) for key, meaning in UNITS.items()},
        "comparisons": settings,
        "constant_velocity": {split: asdict(metrics) for split, metrics in baselines.items()},
        "trainings": results,
    }
    write_json(output / "comparison.json", report)

    test = baselines["test"]
    parts = [
        f"# Variants of {experiment['reference']} on {experiment['data']}",
        f"{experiment['epochs']} epochs in batches of {experiment['batch_size']} for each.",
        name_units(EXPLANATION.replace("\n", " ")),
        f"Constant velocity: test MAE {test.mae:.4f}, median error {test.median_error:.4f}, FDE "
        f"{test.fde:.4f}.",
    ]
    for name, comparison in comparisons.items():
        trainings = {
            variant: list(results[variant].values())
            for variant in comparison.experiments
            if variant in results
        }
        if REFERENCE in trainings and len(trainings) > 1:
            parts += [f"## {comparison.title}", variant_table(trainings, settings[name])]
            picture = output / f"{name}.png"
            has_phases = bool(comparison.experiments[REFERENCE].training.phases)
            baseline = None if has_phases else baselines["validation"].mae
            draw(picture, comparison.title, trainings, baseline, name_units)
    write_text(output / "comparison.md", "\n\n".join(parts) + "\n")


def draw(
    path: Path,
    title: str,
    trainings: Mapping[str, Sequence[Mapping[str, Any]]],
    baseline: float | None,
    name_units: Callable[[str], str],
) -> None:
    """Draw one comparison, given the numbers of each seed by variant.

    Learning curves, as in figures 26 and 27 of the thesis, beside the mean absolute error of
    constant velocity on the validation split; without that, errors on the test split by steps
    ahead, means over seeds.
    """
    figure, axes = new_figure(11, 4.2, columns=2)
    figure.suptitle(title)

    def curves(part: str, key: str) -> dict[str, list[Any]]:
        return {name: [seed[part][key] for seed in seeds] for name, seeds in trainings.items()}

    if baseline is not None:
        nll, mae = "validation NLL (nats per particle and step)", "validation MAE (length units)"
        constant = {"constant velocity": baseline}
        plot_learning_curves(axes[0], curves("history", "val_loss"), nll)
        plot_learning_curves(axes[1], curves("history", "val_mae"), mae, constant)
    else:
        for ax, key, label, name in (
            (axes[0], "median_error_per_step", "median absolute error (length units)", "Error"),
            (axes[1], "nll_per_step", "NLL (nats per particle)", "Negative log-likelihood"),
        ):
            errors = curves("test", key)
            means = {variant: np.mean(seeds, axis=0) for variant, seeds in errors.items()}
            plot_errors(ax, means, label, name)
        axes[1].set_yscale("linear")
    save_figure(figure, path, name_units)


def _union(groups: Iterable[Mapping[str, ExperimentConfig]]) -> dict[str, ExperimentConfig]:
    return {variant: experiment for group in groups for variant, experiment in group.items()}


if __name__ == "__main__":
    run_script(main)
