"""The package as users have it: built, installed, and used away from this repository."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import socialmd
from socialmd.commands.main import COMMANDS

ROOT = Path(__file__).parents[1]
FOLDERS = ("socialmd", "models", "saved_models")
FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
LARGEST = 8_000_000  # bytes, of all that is no code
USE = """
import sys
import numpy as np
import socialmd

print(socialmd.__file__)
assert "tensorflow" not in sys.modules
assert {"forecast", "models", "data", "training"} <= set(dir(socialmd))
assert socialmd.load_config("thesis").model.units == 128
model = socialmd.models.InteractionLSTM.from_preset("interaction")
assert model.experiment.data.subsample == 20
past = np.ones((3, 2, 4)) * [[0.0], [1.0]]
assert socialmd.forecast(past, model="acceleration", num_steps=2).positions.shape == (2, 2, 2)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder in which nothing but the package is installed."""
    checkout, site = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("site")
    for name in FOLDERS:  # copied, because building leaves files behind
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, checkout)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, checkout], check=True)
    return site


@pytest.fixture
def run(site, tmp_path):
    """What a command prints, typed in an empty folder."""

    def run(*words):
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return run


def test_nothing_is_missing_and_nothing_is_large(site):
    ours = {path.relative_to(ROOT) for path in ROOT.glob("socialmd/**/*.py")}
    assert {path.relative_to(site) for path in site.glob("socialmd/**/*.py")} == ours
    shipped = site / "socialmd" / "shipped"
    names = {path.name for path in (ROOT / "models").glob("*.toml")}
    assert {path.name for path in (shipped / "configurations").iterdir()} == names
    models = {path.parent.name for path in (ROOT / "saved_models").glob("*/model.keras")}
    assert {path.name for path in (shipped / "models").iterdir()} == models
    assert sum(path.stat().st_size for path in shipped.rglob("*.*")) < LARGEST


def test_its_command_says_at_once_what_it_is(run, site):
    command = str(site / "bin" / "socialmd")
    start = time.monotonic()
    assert run(command, "--version") == f"socialmd {socialmd.__version__}\n"
    usage = run(command, "--help")
    assert all(f"\n  {name} " in usage for name in COMMANDS)
    assert run(command, "train", "--help").startswith("usage: socialmd train [-h]")
    assert time.monotonic() - start < 3 * 2.0


def test_configurations_and_trained_models_come_with_it(run, site):
    assert run("-c", USE) == f"{site / 'socialmd' / '__init__.py'}\n"
