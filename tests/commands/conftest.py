"""A small data set and a small model on disk, as simulation and training leave them."""

import functools
import itertools
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from socialmd.config import ManyBodySystem, save_config
from socialmd.models import build_model, load
from socialmd.reporting import FigureFolder
from tests.canvas import texts_off_canvas
from tests.world import JUDGED, NUM_PARTICLES, straight_on, write_world

FRAME_SPACING = 0.25
CONFIG = JUDGED
NO_FORCE = ManyBodySystem(
    num_particles=NUM_PARTICLES, coulomb_constant=0.0, gravitational_constant=0.0
)


class Experiment(NamedTuple):
    """Folders of a data set in which no force acts, and of a model that was never trained."""

    data: Path
    model: Path


def write_free_motion(folder: Path, law: ManyBodySystem | None, splits: dict[str, int]) -> None:
    """Data set of free motion with so many simulations in each split."""
    seeds = itertools.count()
    trajectories = {
        split: [straight_on(np.random.default_rng(next(seeds))) for _ in range(count)]
        for split, count in splits.items()
    }
    law_of_data = None if law is None else law.model_dump()
    write_world(folder, trajectories, frame_spacing=FRAME_SPACING, law=law_of_data)


@pytest.fixture(scope="session")
def experiment(tmp_path_factory) -> Experiment:
    root = tmp_path_factory.mktemp("experiment")
    write_free_motion(root / "data", NO_FORCE, {"train": 3, "test": 2})
    keras.utils.set_random_seed(1)  # some weights let the forecast run away within its four steps
    model = build_model(CONFIG)
    model.build((None, CONFIG.data.input_steps, None, 4))
    (root / "tiny").mkdir()
    model.save(root / "tiny" / "model.keras")
    save_config(CONFIG, root / "tiny" / "config.toml")
    return Experiment(root / "data", root / "tiny")


@pytest.fixture(scope="session")
def load_once():
    """`load` that gives the same model again: its forecast is compiled once then."""
    return functools.cache(load)


@pytest.fixture(autouse=True, scope="session")
def whole_figures():
    """No picture cuts off a title or label."""
    savefig = Figure.savefig

    def checked(figure, *arguments, **options):
        if options.get("format") == "png" and figure.get_layout_engine() is not None:
            assert texts_off_canvas(figure) == []
        return savefig(figure, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", checked)
        yield


def save_coarsely(folder, figure, name):
    """Stands for `FigureFolder.save`."""
    figure.set_layout_engine("none")
    folder.path.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder.path / f"{name}.png", dpi=40)
    return folder.path / f"{name}.png"


@pytest.fixture
def coarse_figures(monkeypatch):
    """The time goes into drawing; `test_evaluate.py` sees the same figures as they are."""
    monkeypatch.setattr(FigureFolder, "save", save_coarsely)
