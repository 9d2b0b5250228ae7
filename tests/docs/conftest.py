"""A folder in which what the pages show is typed, in miniature."""

import pytest

from socialmd import ExperimentConfig, presets
from socialmd.config import save_config
from tests.commands.conftest import coarse_figures as coarse_figures
from tests.docs.documents import ROOT
from tests.world import EXPERIMENT

SIMULATION = {
    "num_train": 110,
    "num_validation": 10,
    "num_test": 2,
    "num_steps": 40,
    "time_step": 1e-4,
    "keep_every": 1,
}
TRAINING = {"batch_size": 512, "epochs": 1, "gradient_clip_norm": 1.0}
SEARCH = {"epochs": 1, "training": {"learning_rate": {"minimum": 1e-4, "maximum": 1e-2}}}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """The working directory; configurations that come with the package are small here."""
    experiment = {**EXPERIMENT, "simulation": SIMULATION, "training": TRAINING}
    for name in ("mixture", "quickstart", "search", "thesis"):
        tables = {**experiment, **({"search": SEARCH} if name == "search" else {})}
        save_config(ExperimentConfig.model_validate(tables), tmp_path / f"models/{name}.toml")
    monkeypatch.setattr(presets, "CONFIGURATIONS", (tmp_path / "none", tmp_path / "models"))
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def monopoles(data, workplace):
    """The default data set, in miniature."""
    (workplace / "data").mkdir()
    (workplace / "data" / "monopoles").symlink_to(data)
    return data
