"""Search for better hyperparameters, on one machine or many.

    socialmd tune search data/monopoles searches/tpe --trials 40

`[search]` in the configuration says what is varied. Each trial is a training in a process of its
own, in `searches/tpe/trial_NN`; its objective is the validation NLL. The same command continues an
interrupted search, or, with more trials, one that has ended. At the end arise

    trials.csv        every trial: values, losses, time per step, memory, why it failed
    best.toml         the best experiment, for `socialmd train`
    progress.png      losses in the order of the trials, and the best so far
    surfaces.png      losses over pairs of hyperparameters
    importances.png   which hyperparameters mattered, and importances.json

`tensorboard --logdir searches/tpe` shows all trials, their curves and the HParams dashboard. Many
machines: the same command for KerasTuner's chief and workers, see docs/tuning.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

from socialmd.commands.command_line import (
    CONFIGURATION,
    make_parser,
    parse_first,
    positive_integer,
    run_script,
)

ALGORITHMS = ("tpe", "bayesian", "hyperband", "random")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser("tune", __doc__)
    parser.add_argument("config", help=f"one with a table [search]: {CONFIGURATION}")
    parser.add_argument("data", type=Path, help="data set, a folder with train/ and validation/")
    parser.add_argument("output", type=Path, help="folder of the search")
    parser.add_argument("--algorithm", default="tpe", choices=ALGORITHMS)
    parser.add_argument(
        "--trials", type=positive_integer, default=40, help="at most; default: %(default)s"
    )
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

from socialmd import load_config
from socialmd.files import save_figure, write_json
from socialmd.plots import new_figure, plot_importances, plot_loss_surface, plot_search_progress
from socialmd.training.search import (
    TrialRecord,
    rank_importances,
    read_trials,
    search_hyperparameters,
)
from socialmd.training.search.trial_tuner import is_worker

MOST_IMPORTANT = 4  # hyperparameters whose pairs are drawn


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    arguments = _parse(argv)
    output: Path = arguments.output
    search_hyperparameters(
        load_config(arguments.config), arguments.data, output, arguments.algorithm, arguments.trials
    )
    if is_worker():
        print(f"No more trials for this worker; the chief writes the results to {output}")
        return
    report(output)


def report(output: Path) -> None:
    """Draw a search and say what it found."""
    records = read_trials(output)
    complete = [record for record in records if record.is_complete]
    failed = sum(record.status == "FAILED" for record in records)
    print(f"{len(records)} trials: {len(complete)} complete, {failed} failed")
    if unfinished := len(records) - len(complete) - failed:
        print(f"{unfinished} not finished: the same command goes on with them")
    if not complete:
        return
    figure, ax = new_figure(8, 4)
    losses = [record.losses["val_loss"] if record.is_complete else None for record in records]
    plot_search_progress(ax, losses)
    save_figure(figure, output / "progress.png")
    if importances := rank_importances(records):
        write_json(output / "importances.json", importances)
        figure, ax = new_figure(7, 1.2 + 0.35 * len(importances))
        plot_importances(ax, importances)
        save_figure(figure, output / "importances.png")
        draw_surfaces(output / "surfaces.png", complete, list(importances)[:MOST_IMPORTANT])
    best = min(complete, key=lambda record: record.losses["val_loss"])
    print(f"best: {best.name}, validation NLL {best.losses['val_loss']:.4f}")
    for name, value in best.values.items():
        print(f"  {name} = {value}")
    print(f"As an experiment: {output / 'best.toml'}; all trials: {output / 'trials.csv'}")


def draw_surfaces(path: Path, complete: Sequence[TrialRecord], names: Sequence[str]) -> None:
    """Losses over all pairs of some hyperparameters, after the thesis' figure 20."""
    pairs = list(itertools.combinations(names, 2))
    if not pairs:
        return
    columns = min(3, len(pairs))
    rows = -(-len(pairs) // columns)
    figure, axes = new_figure(4.4 * columns, 3.7 * rows, columns=columns, rows=rows)
    losses = [record.losses["val_loss"] for record in complete]
    panels = list(axes.flat) if len(pairs) > 1 else [axes]
    for ax, (first, second) in zip(panels, pairs, strict=False):
        x, y = ([record.values[name] for record in complete] for name in (first, second))
        plot_loss_surface(ax, x, y, losses, first, second)
    save_figure(figure, path)


if __name__ == "__main__":
    run_script(main)
