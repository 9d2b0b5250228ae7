import numpy as np
import pytest

from pipelines import simulate
from socialmd.config import load_config
from socialmd.simulation import simulate as simulate_systems

CONFIG = """
[system]
num_particles = 3
[simulation]
num_train = 2
num_validation = 1
num_test = 1
num_steps = 400
time_step = 1e-5
keep_every = 100
seed = 2
[data]
subsample = 1
num_phases = 1
input_steps = 2
target_steps = 1
"""


def test_data_set_is_written_once(tmp_path, capsys):
    config, output = tmp_path / "small.toml", tmp_path / "set"
    config.write_text(CONFIG)
    simulate.main([str(config), str(output)])
    assert f"{output}: wrote 4 simulations; relative change" in capsys.readouterr().out
    assert (tmp_path / "set.png").stat().st_size > 1000
    expected = simulate_systems(load_config(config).system, 4, 400, 1e-5, 100, seed=2)
    np.testing.assert_array_equal(np.load(output / "test/simulation_00003.npy"), expected[3])

    simulate.main([str(config), str(output)])
    assert f"{output}: already complete, nothing to do\n" in capsys.readouterr().out


def test_missing_configuration_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.toml"):
        simulate.main([str(tmp_path / "absent.toml"), str(tmp_path / "set")])
    assert not (tmp_path / "set").exists()


def test_both_arguments_are_needed(capsys):
    with pytest.raises(SystemExit):
        simulate.main(["thesis.toml"])
    assert "OUTPUT" in capsys.readouterr().err.upper()
