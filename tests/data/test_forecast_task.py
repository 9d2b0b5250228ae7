import numpy as np
import pytest

from socialmd.config import DataConfig
from socialmd.data import FeatureLayout
from socialmd.data.forecast_task import read_forecast_task

CONFIG = DataConfig(subsample=3, num_phases=1, input_steps=2)


@pytest.fixture
def file(tmp_path):
    """20 frames of 2 particles with 5 features; every number says which it is, but the third.

    That may be a coordinate or not; the last ones stay as they are.
    """
    numbers = np.arange(20.0 * 2 * 5).reshape(20, 2, 5)
    numbers[:, :, 2:] = numbers[0, :, 2:]
    np.save(tmp_path / "mine.npy", numbers)
    return tmp_path / "mine.npy"


@pytest.mark.parametrize(
    ("start", "steps", "past", "truth"),
    [
        (None, 4, [16, 19], []),
        (10, 4, [10, 13], [16, 19]),
        (0, 4, [0, 3], [6, 9, 12, 15]),
    ],
)
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_past_and_truth_are_subsampled_frames(file, start, steps, past, truth, spatial_dims):
    layout = FeatureLayout.unnamed(5, spatial_dims)
    task = read_forecast_task(file, CONFIG, layout, steps, start)
    trajectory = np.load(file)
    np.testing.assert_array_equal(task.past, trajectory[past])
    np.testing.assert_array_equal(task.truth, trajectory[truth, :, :spatial_dims])
    assert task.truth.shape == (len(truth), 2, spatial_dims)
    assert task.last_frame == past[-1]


def test_a_past_that_is_not_there_is_refused(file):
    with pytest.raises(
        ValueError, match=r"start_frame: expected 0 to 16 with .*mine\.npy, found 17"
    ):
        read_forecast_task(file, CONFIG, FeatureLayout.unnamed(5, 2), steps=1, start_frame=17)
    with pytest.raises(ValueError, match=r"mine\.npy: expected shape \[frames, N, 4\]"):
        read_forecast_task(file, CONFIG, FeatureLayout.unnamed(4, 2), steps=1)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (FeatureLayout.unnamed(5, 3), "feature feature_3"),
        (FeatureLayout.of_scalars(("x", "y", "z", "mass", "charge"), 3), "feature mass"),
    ],
)
def test_a_number_that_is_not_finite_is_named(file, layout, expected):
    trajectory = np.load(file)
    trajectory[7, 1, 3] = np.inf
    np.save(file, trajectory)
    with pytest.raises(
        ValueError,
        match=rf"mine\.npy: expected finite .*, found inf at frame 7, particle 1, {expected}$",
    ):
        read_forecast_task(file, CONFIG, layout, steps=1)
