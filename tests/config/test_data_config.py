import pytest

from socialmd.config import DataConfig


@pytest.mark.parametrize(
    ("subsample", "num_phases", "offsets"),
    [(20, 5, (0, 4, 8, 12, 16)), (20, 1, (0,)), (3, 2, (0, 1)), (3, 3, (0, 1, 2)), (1, 1, (0,))],
)
def test_phase_offsets_spread_over_one_subsampling_step(subsample, num_phases, offsets):
    assert DataConfig(subsample=subsample, num_phases=num_phases).phase_offsets == offsets


@pytest.mark.parametrize("num_phases", range(1, 8))
def test_minimum_frames_reach_the_last_frame_of_the_last_phase(num_phases):
    config = DataConfig(subsample=7, num_phases=num_phases, input_steps=2, target_steps=3)
    last_frame = config.phase_offsets[-1] + 4 * 7
    assert config.minimum_frames == last_frame + 1
