"""From files of a fluid in a periodic box to the report and to viewers, in miniature."""

import functools
import json

import ase.io
import MDAnalysis
import numpy as np
import pytest

from socialmd.commands import fluid, molecules, predict
from socialmd.config import ExperimentConfig, save_config
from socialmd.data import load_trajectories
from socialmd.reporting import FigureFolder
from socialmd.reporting.measures import forecast_gallery, long_rollouts
from socialmd.simulation.fluid import FluidSchedule, LennardJonesFluid
from tests.commands.conftest import save_coarsely
from tests.run_eagerly import run_eagerly

SMALL = functools.partial(LennardJonesFluid, num_argon=7, num_xenon=5, box_side=13.0, cutoff=6.0)
SHORT = functools.partial(FluidSchedule, steps_per_frame=60, equilibration_steps=300)
OPTIONS = "--centre none --dimensions 3 --names AR XE --frame-spacing 0.24 --processes 1"
DATA = {
    "subsample": 1,
    "num_phases": 1,
    "input_steps": 3,
    "target_steps": 4,
    "window_shift": 2,
    "num_rotations": 1,
}
INTERACTION = {
    "kind": "interaction_lstm",
    "cutoff": 5.0,
    "minimum_distance": 2.0,
    "num_intervals": 8,
    "units": 3,
    "channels": 2,
    "hidden_units": 4,
    "substeps": 1,
}
SOCIAL = {
    "prediction": "displacement",
    "absolute_position": False,
    "units": 4,
    "embedding_dim": 3,
    "grid_sizes": [12.0, 6.0],
    "grid_cells": 8,
    "filters": [2, 3],
    "kernel_size": 2,
}
TRAINING = {"epochs": 1, "batch_size": 4}


def draw_nothing(path, *_, **__):
    """Stands for an animation."""
    path.write_bytes(b"GIF89a")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Files of four simulations, and all that `socialmd molecules` makes of them."""
    root = tmp_path_factory.mktemp("fluid")
    with pytest.MonkeyPatch.context() as patch, run_eagerly():
        patch.setattr(fluid, "LennardJonesFluid", SMALL)
        patch.setattr(fluid, "FluidSchedule", SHORT)
        patch.setattr(FigureFolder, "save", save_coarsely)
        patch.setattr(long_rollouts, "LONG", 2)
        patch.setattr(forecast_gallery, "animate_forecast", draw_nothing)
        words = ["--simulations", "4", "--frames", "12", "--processes", "1"]
        fluid.main([str(root / "files"), *words])
        phase = {"feedback": "truth"}
        trainings = {
            "learned": (INTERACTION, {**TRAINING, "phases": [phase, {"feedback": "mean"}]}),
            "pooled": (SOCIAL, TRAINING),
        }
        for name, (model, training) in trainings.items():
            tables = {"data": DATA, "model": model, "training": training}
            save_config(ExperimentConfig.model_validate(tables), root / f"{name}.toml")
        folders = sorted(map(str, (root / "files").iterdir()))
        configurations = [str(root / f"{name}.toml") for name in trainings]
        molecules.main(
            [
                *[*folders, str(root / "output"), "--configs", *configurations],
                *["--reading", f"{OPTIONS} --time-unit picosecond --shares 2 1 1"],
                *["--evaluation", "--num-samples 2"],
            ]
        )
    return root


@pytest.mark.filterwarnings("ignore:DCDReader currently makes:DeprecationWarning")
def test_data_hold_boxes_and_paths_without_jumps(experiment):
    found = load_trajectories(experiment / "output/data/train")
    assert found.frames.shape == (2, 12, 12, 5)
    np.testing.assert_allclose(found.boxes, np.tile(13 * np.eye(3), (2, 1, 1, 1)), rtol=1e-6)
    assert np.abs(np.diff(found.frames[..., :3], axis=1)).max() < 6.5
    raw = MDAnalysis.Universe(
        *(experiment / "files/fluid_000" / f"fluid.{e}" for e in ("pdb", "dcd"))
    )
    images = (found.frames[0, 7, :, :3] - raw.trajectory[7].positions) / 13
    np.testing.assert_allclose(images, np.round(images), atol=1e-5)
    assert found.description.layout.species == ("AR", "XE")


def test_the_report_has_what_chemists_measure(experiment):
    found = json.loads((experiment / "output/evaluation/metrics.json").read_text())
    forecasts = {"learned", "pooled", "constant position", "constant velocity"}
    forecasts |= {"linear autoregression", "Langevin dynamics"}
    assert found["forecasts"].keys() == forecasts
    assert found["transport"].keys() == {"AR", "XE"}
    assert found["transport"]["AR"].keys() == {"truth", "learned, sampled", *forecasts}
    assert found["transport"]["XE"]["truth"]["diffusion"] > 0
    structure = found["pair_structure"]
    assert structure["pairs"].keys() == {"AR AR", "AR XE", "XE XE"}
    assert structure["deviation"]["truth"] < structure["deviation"]["constant velocity"] * 2
    assert 0 < structure["in_contact"]["truth"] <= 1
    waves = found["structure_factors"]
    assert waves["values"].keys() == {"truth", "learned, sampled", *forecasts}
    assert waves["deviation"]["truth"] > 0
    assert found["closest_approach"].keys() == forecasts
    assert "before and after close approaches" in found["left_out"]  # nobody stays away from all
    long = found["long_rollouts"]
    assert long.keys() == {"learned", "learned, sampled", "pooled"}
    assert len(long["learned"]["temperature"]) == 8
    assert long["learned"]["outside"] is None
    figures = {path.stem for path in (experiment / "output/evaluation/figures").iterdir()}
    assert figures >= {
        "pair_structure",
        "structure_factors",
        "close_approaches",
        "long_rollouts",
        "transport_0",
        "transport_1",
    }
    report = (experiment / "output/evaluation/report.html").read_text()
    assert "What particles do on average" in report


@pytest.mark.parametrize("wrap", [False, True])
def test_viewers_see_the_box(experiment, tmp_path, wrap):
    file = experiment / "output/data/test/simulation_00003.npy"
    words = [str(experiment / "output/learned"), str(file), str(tmp_path), "--start-frame", "4"]
    predict.main(words + ["--wrap"] * wrap)
    frames = ase.io.read(tmp_path / "forecast.xyz", ":")
    assert len(frames) == 4
    for atoms in frames:
        assert atoms.pbc.all()
        np.testing.assert_allclose(atoms.cell.array, 13 * np.eye(3), rtol=1e-6)
    written = np.array([atoms.positions for atoms in frames])
    paths = np.load(tmp_path / "forecast.npy")
    inside = (written >= 0).all() and (written < 13).all()
    assert inside == (wrap or ((paths >= 0).all() and (paths < 13).all()))
    images = (written - paths) / 13
    np.testing.assert_allclose(images, np.round(images) if wrap else 0, atol=1e-5)
    cell = "CRYST1   13.000   13.000   13.000  90.00  90.00  90.00"
    assert cell in (tmp_path / "truth.pdb").read_text()


def test_wrapping_needs_a_box(experiment, tmp_path):
    file = tmp_path / "alone.npy"
    np.save(file, np.load(experiment / "output/data/test/simulation_00003.npy"))
    words = [str(experiment / "output/learned"), str(file), str(tmp_path / "out"), "--wrap"]
    with pytest.raises(ValueError, match="--wrap: expected a periodic box, found none"):
        predict.main(words)
    box = experiment / "output/data/boxes/test/simulation_00003.npy"
    predict.main([*words, "--box", str(box)])
