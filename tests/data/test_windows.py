import numpy as np
import pytest

from socialmd.config import DataConfig
from socialmd.data.windows import first_frames, sample_rows, window_offsets


def test_default_windows_of_a_trajectory_of_a_thousand_frames():
    expected = [first + shift for first in (0, 4, 8, 12, 16) for shift in (0, 100, 200, 300)]
    np.testing.assert_array_equal(first_frames(1000, DataConfig()), expected)
    np.testing.assert_array_equal(window_offsets(DataConfig()), range(0, 700, 20))


@pytest.mark.parametrize("num_frames", [27, 28, 29, 30, 31, 50])
@pytest.mark.parametrize(("subsample", "num_phases"), [(1, 1), (3, 2), (4, 4)])
@pytest.mark.parametrize("window_shift", [1, 2, 1000])
def test_windows_are_all_that_fit(num_frames, subsample, num_phases, window_shift):
    steps = {"input_steps": 2, "target_steps": 4, "window_shift": window_shift}
    config = DataConfig(subsample=subsample, num_phases=num_phases, **steps)
    expected = []
    for offset in config.phase_offsets:
        kept = range(num_frames)[offset::subsample]
        expected += [kept[start] for start in range(0, len(kept) - 5, window_shift)]
    np.testing.assert_array_equal(first_frames(num_frames, config), expected)


def test_minimum_frames_is_the_smallest_number_with_a_window_at_every_phase():
    config = DataConfig(subsample=3, num_phases=2, input_steps=2, target_steps=4)
    np.testing.assert_array_equal(first_frames(config.minimum_frames, config), [0, 1])
    np.testing.assert_array_equal(first_frames(config.minimum_frames - 1, config), [0])


@pytest.mark.parametrize(("num_rotations", "copies"), [(0, 1), (1, 1), (3, 3)])
def test_rows_enumerate_simulation_window_and_rotation(num_rotations, copies):
    steps = {"input_steps": 2, "target_steps": 1, "window_shift": 1}
    config = DataConfig(subsample=2, num_phases=2, num_rotations=num_rotations, **steps)
    # Ten frames: from frame 0 windows start at 0, 2, 4, from frame 1 at 1, 3, 5.
    expected = [
        10 * simulation + frame
        for simulation in range(2)
        for frame in (0, 2, 4, 1, 3, 5)
        for _ in range(copies)
    ]
    np.testing.assert_array_equal(sample_rows(2, 10, config), expected)
