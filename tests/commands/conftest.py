"""A small data set and a small model on disk, as simulation and training leave them."""

import functools
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from socialmd.config import (
    DataConfig,
    ExperimentConfig,
    ManyBodySystem,
    ModelConfig,
    SimulationConfig,
    TrainingConfig,
    save_config,
)
from socialmd.data import describe_dataset
from socialmd.models import build_model, load
from socialmd.reporting import FigureFolder
from tests.canvas import texts_off_canvas

NUM_FRAMES, NUM_PARTICLES, FRAME_SPACING = 40, 3, 0.25
CONFIG = ExperimentConfig(
    simulation=SimulationConfig(num_steps=NUM_FRAMES, keep_every=1),
    data=DataConfig(subsample=2, num_phases=2, input_steps=3, target_steps=4, window_shift=3),
    model=ModelConfig(
        prediction="displacement", units=8, embedding_dim=4, grid_cells=8, filters=(3, 4)
    ),
    training=TrainingConfig(batch_size=5),
)
NO_FORCE = ManyBodySystem(
    num_particles=NUM_PARTICLES, coulomb_constant=0.0, gravitational_constant=0.0
)


class Experiment(NamedTuple):
    """Folders of a data set in which no force acts, and of a model that was never trained."""

    data: Path
    model: Path


def free_trajectory(seed: int) -> np.ndarray:
    """[40, 3, 4]: uniform motion, masses and charges."""
    rng = np.random.default_rng(seed)
    start, velocity = rng.uniform(-2, 2, (2, NUM_PARTICLES, 2))
    positions = start + velocity * 0.05 * np.arange(NUM_FRAMES)[:, None, None]
    features = np.broadcast_to(rng.uniform(0.5, 1.5, (NUM_PARTICLES, 2)), positions.shape)
    return np.concatenate([positions, features], axis=-1)


def write_free_motion(folder: Path, law: ManyBodySystem | None, splits: dict[str, int]) -> None:
    """Data set of free motion with so many simulations in each split."""
    seed = 0
    for split, count in splits.items():
        (folder / split).mkdir(parents=True)
        for _ in range(count):
            np.save(folder / split / f"simulation_{seed:05d}.npy", free_trajectory(seed))
            seed += 1
    describe_dataset(
        folder,
        features=["x", "y", "mass", "charge"],
        frame_spacing=FRAME_SPACING,
        law=None if law is None else law.model_dump(),
    )


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


@pytest.fixture
def coarse_figures(monkeypatch):
    """The time goes into drawing; `test_evaluate.py` sees the same figures as they are."""

    def save(folder, figure, name):
        figure.set_layout_engine("none")
        folder.path.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder.path / f"{name}.png", dpi=40)
        return folder.path / f"{name}.png"

    monkeypatch.setattr(FigureFolder, "save", save)
