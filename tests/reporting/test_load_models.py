"""What models are called in a report."""

import keras
import pytest

from socialmd.config import save_config
from socialmd.models import build_model
from socialmd.reporting import load_models
from tests.commands.conftest import CONFIG


@pytest.fixture
def train(tmp_path):
    def write(name):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        keras.utils.set_random_seed(0)
        model = build_model(CONFIG)
        model.build((None, 3, None, 4))
        model.save(folder / "model.keras")
        save_config(CONFIG, folder / "config.toml")
        return folder

    return write


def test_names_show_in_legends_and_are_those_of_links(train, tmp_path, monkeypatch):
    """Matplotlib leaves out what begins with an underscore; targets of links say nothing."""
    hidden, stored = train("_mine"), train("cache/8f14e4")
    (tmp_path / "thesis").symlink_to(stored)
    monkeypatch.chdir(hidden)
    assert list(load_models([hidden / ".", tmp_path / "thesis"])) == ["mine", "thesis"]
