"""One Gaussian against mixtures, where the exact density is known (thesis section 2.5.1).

    socialmd circle circle OUTPUT [--seeds 3]

A particle moves on a circle, and its next angle is uncertain: it will be somewhere on an arc, which
one Gaussian cannot describe. Trains the same network with each distribution and each seed, measures
the negative log-likelihood (NLL) of the test set beside that of the exact density, which on average
no forecast can beat, and draws the densities after one past. What is done is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from socialmd.commands.command_line import (
    CONFIGURATION,
    add_seeds,
    add_verbose,
    make_parser,
    parse_first,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("circle", __doc__)
    parser.add_argument("config", help=CONFIGURATION)
    parser.add_argument("output", type=Path, help="folder for data, trainings and results")
    add_seeds(parser)
    add_verbose(parser, 0)
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

import numpy as np
from matplotlib.patches import Circle

from socialmd import load_config
from socialmd.config import ExperimentConfig
from socialmd.data import Windows, read_windows
from socialmd.data.dataset_description import file_names
from socialmd.data.dataset_writer import DatasetWriter
from socialmd.evaluation import position_density
from socialmd.files import save_figure, write_json
from socialmd.models import ForecastModel
from socialmd.plots import new_figure, plot_density
from socialmd.simulation import CircleWalk
from socialmd.training import fit
from socialmd.types import Array

REFERENCE = "gaussian"
DISTRIBUTIONS = (REFERENCE, "mixture", "correlated_mixture")
NUM_SAMPLES, PIXELS = 200, 240  # of the picture


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    arguments = _parse(argv)
    output: Path = arguments.output
    config, walk = load_config(arguments.config), CircleWalk()
    check_next_frame(config)
    write_data(config, walk, output / "data")
    windows = read_windows(output / "data", "test", config.data)
    exact_nll = -float(walk.log_density(windows.inputs[:, -1], windows.truth[:, 0]).mean())

    models: dict[str, list[ForecastModel]] = {name: [] for name in DISTRIBUTIONS}
    for seed in range(arguments.seeds):
        for name in DISTRIBUTIONS:
            print(f"{name}, seed {seed}", flush=True)
            folder = output / name / f"seed_{seed}"
            variant = with_variant(config, name, seed)
            models[name].append(fit(variant, output / "data", folder, verbose=arguments.verbose))

    nlls = {name: [measure_nll(model, windows) for model in models[name]] for name in models}
    first = {name: seeds[0] for name, seeds in models.items()}
    weights = {name: model.num_trainable_parameters for name, model in first.items()}
    report = {
        "units": "nats per window; one number for each seed",
        "walk": asdict(walk),
        "test_windows": len(windows.inputs),
        "exact_nll": exact_nll,
        "trainable_parameters": weights,
        "nll": nlls,
    }
    write_json(output / "circle.json", report)
    nll_of_first = {"exact": exact_nll, **{name: seeds[0] for name, seeds in nlls.items()}}
    draw(output / "circle.png", walk, windows.inputs[0], first, nll_of_first)
    print(f"\n{make_table(report)}\n\nDensities in {output / 'circle.png'}")


# === Data and trainings ===


def check_next_frame(config: ExperimentConfig) -> None:
    """Refuse configurations about other frames than the next, of which the exact density is."""
    for key, value in (
        ("simulation.keep_every", config.simulation.keep_every),
        ("data.subsample", config.data.subsample),
        ("data.target_steps", config.data.target_steps),
    ):
        if value != 1:
            raise ValueError(f"{key}: expected 1, found {value}")
    config.check_simulation()


def write_data(config: ExperimentConfig, walk: CircleWalk, folder: Path) -> None:
    """Simulate the data set, whole or not at all, unless it is there."""
    simulation = config.simulation
    recipe = {"law": asdict(walk), "simulation": simulation.describe()}
    writer = DatasetWriter(folder, recipe)
    if not writer.check():
        names = file_names(simulation.splits)
        frames = walk.simulate(len(names), simulation.num_steps, simulation.seed)
        arrays = dict(zip(names, frames, strict=True))
        spacing = simulation.time_step
        writer.write(arrays, **recipe, features=("x", "y"), frame_spacing=spacing)


def with_variant(config: ExperimentConfig, distribution: str, seed: int) -> ExperimentConfig:
    """The experiment with another distribution and seed."""
    model = config.model.model_copy(update={"distribution": distribution})
    training = config.training.model_copy(update={"seed": seed})
    return config.model_copy(update={"model": model, "training": training})


def measure_nll(model: ForecastModel, windows: Windows) -> float:
    """Negative log-likelihood of what followed, in nats per window."""
    _, parameters = model.rollout(windows.inputs)
    return -float(np.mean(model.distribution(parameters).log_prob(windows.truth)))


# === Report ===


def make_table(report: Mapping[str, Any]) -> str:
    """Markdown table in nats: mean ± sample standard deviation over seeds.

    The gain over one Gaussian is that over the one of the same seed.
    """
    columns = ("distribution", "weights", "test NLL", "gain over one Gaussian", "above exact")
    rows = [columns, ("---", *["---:"] * (len(columns) - 1))]
    exact, reference = report["exact_nll"], np.array(report["nll"][REFERENCE])
    for name, seeds in report["nll"].items():
        nll = np.array(seeds)
        gain = "" if name == REFERENCE else _spread(reference - nll)
        weights = str(report["trainable_parameters"][name])
        rows.append((name, weights, _spread(nll), gain, _spread(nll - exact)))
    rows.append(("exact density", "", f"{exact:.3f}", "", ""))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _spread(values: Array) -> str:
    deviation = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{deviation}"


def draw(
    path: Path,
    walk: CircleWalk,
    past: Array,
    models: Mapping[str, ForecastModel],
    nlls: Mapping[str, float],
) -> None:
    """Draw the exact and two predicted densities after one past, as in figure 12 of the thesis.

    The past is x_(t-1) and x_t, [2, 1, 2]; NLLs, on the test set, are by distribution as models
    are, and of `"exact"`.
    """
    side = 1.5 * walk.radius
    extent = (-side, side, -side, side)
    exact = SimpleNamespace(  # what `position_density` needs of a distribution
        batch_shape=(1, 1), prob=lambda points: np.exp(walk.log_density(past[-1], points))
    )
    panels: list[tuple[str, Any, Any]] = [(f"Exact density, NLL {nlls['exact']:.3f}", exact, None)]
    for name, title in ((REFERENCE, "One Gaussian"), ("mixture", "Mixture of {} Gaussians")):
        parameters = models[name].rollout(past[None])[1][0]  # [1, 1, P]
        means = np.reshape(models[name].components(parameters)[1], (-1, 2))
        title = f"{title.format(len(means))}, NLL {nlls[name]:.3f}"
        panels.append((title, models[name].distribution(parameters), means))
    densities = [position_density(distribution, extent, PIXELS) for _, distribution, _ in panels]
    largest = max(float(density.max()) for density in densities)
    following = walk.draw_next(past[-1, 0], NUM_SAMPLES, seed=0)

    figure, axes = new_figure(15, 5.2, columns=len(panels))
    figure.suptitle(
        "Density of the next position after one past; NLL of the test set, in nats per window"
    )
    for ax, (title, _, means), density in zip(axes, panels, densities, strict=True):
        image = plot_density(ax, density, extent, past[:, 0], following, means, largest, title)
        ax.add_patch(Circle((0, 0), walk.radius, fill=False, linestyle=":", edgecolor="white"))
    figure.colorbar(image, ax=axes, label="probability density (per unit of area)")
    figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save_figure(figure, path)


if __name__ == "__main__":
    run_script(main)
