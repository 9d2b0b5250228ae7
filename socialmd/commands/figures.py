"""Redraw the thesis' figures from our own data and models.

    socialmd figures acceleration data/monopoles figures

Each appears under its number in the thesis as `figure_NUMBER.png` and `.pdf`, and what a model has
learned of the interaction of particles, which is no figure of the thesis, as `interaction.png` and
`.pdf`; `captions.md` beside them says what is seen, which rule chose it and which command made it.
Nothing is trained: figures whose source is missing are left out, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from socialmd.commands.command_line import (
    MODEL,
    add_import,
    import_modules,
    make_parser,
    parse_first,
    positive_integer,
    run_script,
    typed_command,
)

# One file each; numbers are those of the thesis.
NAMES = (
    "figure_08",
    "figure_11_12",
    "figure_22",
    "figure_26",
    "figure_27",
    "figure_28",
    "figure_29",
    "figure_30",
    "figure_31",
    "figure_32",
    "figure_33",
    "figure_34",
    "interaction",
)


class Sources(argparse.Namespace):
    """Command line arguments, and what is loaded and computed when a figure needs it."""

    model: Path
    data: Path
    output: Path
    circle: Path
    comparison: Path
    only: list[str] | None
    modules: list[str]
    max_windows: int | None

    @property
    def folder(self) -> Path:
        """Where training has left the model."""
        path = find_model(self.model)
        return path.parent if path.suffix == ".keras" else path

    @cached_property
    def models(self) -> dict[str, ForecastModel]:
        """The model by its name."""
        return load_models([self.model])

    @property
    def trained(self) -> ForecastModel:
        """The model."""
        return next(iter(self.models.values()))

    @cached_property
    def description(self) -> DatasetDescription:
        """Of the data."""
        return read_description(self.data)

    @cached_property
    def windows(self) -> Windows:
        """Of the test split."""
        config = self.trained.experiment.data
        return read_windows(self.data, "test", config, self.max_windows)

    @cached_property
    def forecasts(self) -> Forecasts:
        """Those of the model and of the baselines."""
        config = self.trained.experiment.data
        return forecast_windows(self.models, config, self.data, "test", self.max_windows)


def labels(name: str) -> list[str]:
    """Numbers in the thesis of what one file shows, or its name."""
    return [label.lstrip("0") for label in name.removeprefix("figure_").split("_")]


def _parse(argv: Sequence[str] | None) -> Sources:
    parser = make_parser("figures", __doc__)
    parser.add_argument("model", type=Path, help=MODEL)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("output", type=Path, help="folder for the figures")
    every = [label for name in NAMES for label in labels(name)]
    add_import(parser)
    parser.add_argument("--only", nargs="+", choices=every, help="default: all")
    parser.add_argument("--max-windows", type=positive_integer, help="evenly spread; default: all")
    for name in ("circle", "comparison"):
        default = Path("saved_models") / name
        parser.add_argument(f"--{name}", type=Path, default=default, help=f"default: {default}")
    return parser.parse_args(argv, Sources())


parse_first(__name__, _parse)  # what follows takes seconds to import

import numpy as np

from socialmd.data import DatasetDescription, Windows, load_trajectories, read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import NotPossibleError
from socialmd.files import write_bytes, write_text
from socialmd.models import ForecastModel
from socialmd.plots import new_figure, plot_learning_curves, plot_losses, plot_trajectories
from socialmd.presets import find_model
from socialmd.reporting import Drawing, FigureFolder, Forecasts, forecast_windows, load_models
from socialmd.reporting.measures.learned_law import draw_interaction
from socialmd.reporting.thesis_figures import (
    draw_around_close_approaches,
    draw_close_approaches,
    draw_pooling,
    draw_window,
)
from socialmd.training import read_history
from socialmd.training.history import HISTORY_FILE

NUM_SIMULATIONS = 3  # side by side
NETWORKS = {"reference": "stacked grids", "mono_grid": "mono-grid"}
COMPARE = "socialmd compare comparisons comparison_base DATA"
CIRCLE = "socialmd circle circle"
LETTERS_PER_INCH = 9  # of a title
HEADING = "\n## "  # of a caption


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command, with the arguments of the process if none are given."""
    typed = sys.argv[1:] if argv is None else list(argv)
    sources = _parse(typed)
    import_modules(sources.modules)
    made = []
    for name, draw in FIGURES.items():
        if sources.only and set(labels(name)).isdisjoint(sources.only):
            continue
        try:
            drawing = draw(sources)
        except NotPossibleError as reason:
            print(f"{name} is left out: {reason}", flush=True)
            continue
        name_units = sources.description.name_units
        drawing = Drawing(drawing.figure, name_units(drawing.rule), name_units(drawing.shows))
        save(drawing, sources.output, name, name_units)
        add_caption(sources.output / "captions.md", name, drawing, typed_command("figures", typed))
        made.append(name)
    print(f"Made in {sources.output}: {', '.join(made) or 'nothing'}")


# === Figures ===


def draw_grids(sources: Sources) -> Drawing:
    """Figure 8: stacked state pooling."""
    config = sources.trained.experiment.model
    if config.kind != "social_lstm":
        raise NotPossibleError("the model has no grids")
    return draw_pooling(config, sources.windows)


def find_circle(sources: Sources) -> Drawing:
    """Figures 11 and 12: mixture density, which another script draws."""
    picture = sources.circle / "circle.png"
    if not picture.is_file():
        raise NotPossibleError(f"{picture} is not there; `{CIRCLE} {sources.circle}` makes it")
    return Drawing(
        picture,
        "first window of the test split, models of the first seed",
        "A particle on a circle, its next angle uncertain: exact and predicted densities. Drawn by "
        f"`{CIRCLE} OUTPUT`.",
    )


def draw_simulations(sources: Sources) -> Drawing:
    """Figure 22: simulated trajectories."""
    test = load_trajectories(sources.data / "test")
    shown = test.frames[:NUM_SIMULATIONS, ..., :2]
    half = 1.05 * np.abs(shown).max()
    figure, axes = new_figure(5 * len(shown), 5.5, columns=len(shown))
    for number, (ax, positions) in enumerate(zip(np.atleast_1d(axes), shown, strict=True)):
        plot_trajectories(ax, positions, f"Test simulation {number}")
        ax.set(xlim=(-half, half), ylim=(-half, half))
    span = (shown.shape[1] - 1) * test.description.frame_spacing
    return Drawing(
        figure,
        f"first {len(shown)} simulations of the test split, {span:.3g} time units",
        f"{shown.shape[2]} particles, {shown.shape[1]} frames; dots are where particles end.",
    )


def draw_curves(sources: Sources, key: str, label: str) -> Drawing:
    """Figures 26 and 27: stacked grids against the mono-grid."""
    curves, baselines = {}, {}
    for variant, name in NETWORKS.items():
        complete = sorted((sources.comparison / variant).glob("seed_*/test.json"))
        if not complete:
            raise NotPossibleError(
                f"{sources.comparison / variant} holds no complete training; "
                f"`{COMPARE} {sources.comparison}` makes them"
            )
        curves[name] = [read_history(path.with_name(HISTORY_FILE))[key] for path in complete]
    report = sources.comparison / "comparison.json"
    if key == "val_mae" and report.is_file():
        errors = json.loads(report.read_text("utf-8"))["constant_velocity"]
        baselines["constant velocity"] = errors["validation"]["mae"]
    figure, ax = new_figure(6.4, 4.6)
    plot_learning_curves(ax, curves, label, baselines)
    counts = [f"{len(seeds)} of the {name}" for name, seeds in curves.items()]
    return Drawing(
        figure,
        f"all complete trainings, {' and '.join(counts)}",
        f"The {label} after each epoch, of networks that differ in their grids only. Trained by "
        f"`{COMPARE} OUTPUT`.",
    )


def draw_losses(sources: Sources) -> Drawing:
    """Figure 28: the training of the model."""
    history = read_history(sources.folder / HISTORY_FILE)
    if not history:
        raise NotPossibleError(f"{sources.folder / HISTORY_FILE} holds no epoch")
    figure, axes = new_figure(11, 4.6, columns=2)
    plot_losses(axes[0], history, label="NLL (nats per particle and step)", scale="symlog")
    plot_losses(axes[1], history, "mae", "mean absolute error (length units)")
    return Drawing(
        figure,
        f"all epochs of {os.path.basename(os.path.abspath(sources.folder))} "
        f"({len(history['loss'])} so far)",
        "Training values are means over an epoch, in which the model changes.",
    )


def draw_law(sources: Sources) -> Drawing:
    """What an `interaction_lstm` has learned."""
    spacing = sources.description.frame_spacing * sources.trained.experiment.data.subsample
    return draw_interaction(sources.trained, sources.windows, sources.description, spacing)


FIGURES: dict[str, Callable[[Sources], Drawing]] = {
    "figure_08": draw_grids,
    "figure_11_12": find_circle,
    "figure_22": draw_simulations,
    "figure_26": partial(draw_curves, key="val_loss", label="validation NLL (nats)"),
    "figure_27": partial(draw_curves, key="val_mae", label="validation MAE (length units)"),
    "figure_28": draw_losses,
    "figure_29": lambda sources: draw_window(sources.forecasts, "median", 0.5, with_errors=False),
    "figure_30": lambda sources: draw_close_approaches(sources.forecasts, NUM_SIMULATIONS),
    "figure_31": lambda sources: draw_window(sources.forecasts, "best decile", 0.1),
    "figure_32": lambda sources: draw_window(sources.forecasts, "median", 0.5),
    "figure_33": lambda sources: draw_window(sources.forecasts, "worst decile", 0.9),
    "figure_34": lambda sources: draw_around_close_approaches(sources.forecasts),
    "interaction": draw_law,
}


# === Files ===


def save(drawing: Drawing, folder: Path, name: str, name_units: Callable[[str], str] = str) -> None:
    """Write a figure with its rule as title, or copy a picture."""
    if isinstance(drawing.figure, Path):
        write_bytes(folder / f"{name}.png", drawing.figure.read_bytes())
    else:
        width = int(LETTERS_PER_INCH * drawing.figure.get_figwidth())
        drawing.figure.suptitle(textwrap.fill(drawing.rule[0].upper() + drawing.rule[1:], width))
        FigureFolder(folder, name_units).save(drawing.figure, name)


def add_caption(path: Path, name: str, drawing: Drawing, made_by: str) -> None:
    """Put it among those of figures that were made before, in the order of the figures."""
    parts = path.read_text("utf-8").split(HEADING)[1:] if path.is_file() else []
    captions = {part.partition("\n")[0]: part for part in parts}
    captions[name] = (
        f"{name}\n\n![{drawing.rule}]({name}.png)\n\n{drawing.shows}\n\n"
        f"Chosen by rule: {drawing.rule}.\n\nMade by `{made_by}`\n"
    )
    ordered = [captions[name] for name in sorted(captions)]
    write_text(path, HEADING.join(["# Figures of the thesis, redrawn\n", *ordered]))


if __name__ == "__main__":
    run_script(main)
