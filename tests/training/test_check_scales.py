"""Data in other units than the configuration's are refused with advice, before they are learned."""

import numpy as np
import pytest

from socialmd import ExperimentConfig
from socialmd.data import load_trajectories
from socialmd.data.dataset_description import describe_dataset, save_array
from socialmd.training import fit
from socialmd.training.check_scales import check_scales
from tests.world import EXPERIMENT

RADIAL = {"kind": "interaction_lstm", "filter": "radial", "cutoff": 8.0}
SEQUENCE = {"kind": "sequence_lstm", "length_scale": 1.0}


@pytest.fixture
def make(tmp_path):
    """A data set of walks in a square of 10, made larger and moved away from the origin."""

    def write(factor=1.0, origin=(0.0, 0.0)):
        rng = np.random.default_rng(5)
        for split in ("train", "validation"):
            start = rng.uniform(-5, 5, (4, 2))
            x = start + rng.normal(0, 0.1, (40, 4, 2)).cumsum(axis=0)
            save_array(tmp_path / split / f"{split}.npy", factor * x + origin)
        describe_dataset(tmp_path, features=("x", "y"), frame_spacing=1.0)
        return tmp_path

    return write


def with_model(model):
    return ExperimentConfig.model_validate({**EXPERIMENT, "model": model})


def with_length_scale(scale):
    sizes = [4.0 * scale, 2.0 * scale]
    return with_model({**EXPERIMENT["model"], "length_scale": scale, "grid_sizes": sizes})


@pytest.mark.parametrize("model", [RADIAL, SEQUENCE, {**EXPERIMENT["model"], "grid_sizes": [8.0]}])
def test_data_of_the_right_size_pass(make, model):
    check_scales(with_model(model), load_trajectories(make() / "train"))


def test_pixels_need_another_length_scale(make):
    directory = load_trajectories(make(200.0, (1000.0, 1000.0)) / "train")
    advice = r"positions reach 1\.73e\+03 times .*; set model\.length_scale to about 900$"
    for config in (with_length_scale(1.0), with_model(SEQUENCE)):
        with pytest.raises(ValueError, match=advice):
            check_scales(config, directory)
    check_scales(with_length_scale(900.0), directory)


def test_metres_from_the_equator_need_an_origin(make):
    directory = load_trajectories(make(1.0, (500_000.0, 5_820_456.0)) / "train")
    message = r"reach 5820459.*, where float32 resolves 0\.5, .* subtract an origin, \[49999"
    with pytest.raises(ValueError, match=message):
        check_scales(with_length_scale(1e5), directory)


def test_steps_that_are_too_small_wherever_the_origin_is(make):
    trajectories = load_trajectories(make(1.0) / "train")
    far = 1e5 * (np.arange(4) - 1.5)[:, None] + 1e-2 * trajectories.frames
    with pytest.raises(ValueError, match=r"let data\.subsample take fewer frames"):
        check_scales(with_length_scale(1e5), trajectories._replace(frames=far))


def test_particles_that_never_meet_need_other_distances(make):
    directory = load_trajectories(make(200.0) / "train")
    message = r"model\.cutoff: expected some particles within reach .*, found 8, while nearest"
    with pytest.raises(ValueError, match=message):
        check_scales(with_model(RADIAL), directory)
    check_scales(with_model({**RADIAL, "cutoff": 2000.0}), directory)
    model = {**EXPERIMENT["model"], "length_scale": 100.0}
    with pytest.raises(ValueError, match=r"model\.grid_sizes: .*, found 4, while nearest"):
        check_scales(with_model(model), directory)
    check_scales(with_model({**model, "grid_sizes": [2000.0]}), directory)
    check_scales(with_model({**model, "grid_sizes": []}), directory)  # none are asked for


def test_grids_much_wider_than_the_data_are_refused(make):
    model = {**EXPERIMENT["model"], "grid_sizes": [100.0, 1.0]}
    with pytest.raises(
        ValueError, match=r"model\.grid_sizes: .* extent of the data, .*found 100\.0"
    ):
        check_scales(with_model(model), load_trajectories(make() / "train"))


def test_nothing_is_trained_then(make, tmp_path):
    directory = make(200.0)
    with pytest.raises(ValueError, match=r"model\.length_scale"):
        fit(with_length_scale(1.0), directory, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()
