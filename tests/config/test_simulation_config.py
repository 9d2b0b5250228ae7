from socialmd.config import SimulationConfig


def test_splits_are_counted_by_name():
    config = SimulationConfig(num_train=3, num_validation=2, num_test=1)
    assert config.splits == {"train": 3, "validation": 2, "test": 1}
