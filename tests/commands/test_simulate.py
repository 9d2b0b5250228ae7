import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socialmd.commands import simulate
from socialmd.config import load_config
from socialmd.simulation import simulate as simulate_systems
from tests.folder_contents import files

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


# Compiles once, then divides itself; the processes begin at the same moment.
PROCESSES = """
import multiprocessing, sys
from socialmd.commands import simulate
from socialmd.simulation import ManyBodySystem
from socialmd.simulation import simulate as simulate_systems

config, output, *shards = sys.argv[1:]
context = multiprocessing.get_context("fork")
barrier = context.Barrier(len(shards))

def work(shard):
    barrier.wait()
    simulate.main([config, output, "--shard", shard])

simulate_systems(ManyBodySystem(num_particles=3), 1, 10, 1e-5, 10, seed=0)
processes = [context.Process(target=work, args=[shard]) for shard in shards]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""


def test_processes_at_the_same_time_write_what_one_process_writes(tmp_path):
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    simulate.main([str(config), str(tmp_path / "one" / "set")])
    root = Path(__file__).parents[2]
    subprocess.run(
        # Each shard is started twice, as by mistake.
        [sys.executable, "-c", PROCESSES, config, tmp_path / "many" / "set"]
        + ["1/3", "2/3", "3/3"] * 2,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
    )
    expected = files(tmp_path / "one")
    assert {"set.png", "set/dataset.json", "set/test/simulation_00003.npy"} < set(expected)
    assert files(tmp_path / "many") == expected


def test_a_shard_says_what_is_missing_and_the_last_one_draws(tmp_path, capsys):
    config, output = tmp_path / "small.toml", tmp_path / "set"
    config.write_text(CONFIG)
    missing = f"{output}: 2 of 4 simulations are missing: other shards are not done yet\n"
    simulate.main([str(config), str(output), "--shard", "2/2"])
    printed = capsys.readouterr().out
    assert f"{output}: wrote 2 simulations; relative change" in printed
    assert printed.endswith(missing)
    simulate.main([str(config), str(output), "--shard", "2/2"])
    assert capsys.readouterr().out == missing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "small.toml"]

    simulate.main([str(config), str(output), "--shard", "1/2"])
    assert "wrote 2 simulations" in capsys.readouterr().out
    assert (output / "dataset.json").exists()
    assert (tmp_path / "set.png").exists()
    simulate.main([str(config), str(output), "--shard", "2/2"])
    assert "already complete, nothing to do" in capsys.readouterr().out


def test_an_impossible_shard_is_explained(capsys):
    with pytest.raises(SystemExit):
        simulate.main(["thesis.toml", "set", "--shard", "0/4"])
    assert "--shard: expected a shard from 1/n to n/n, as 2/4, found 0/4" in capsys.readouterr().err


def test_missing_configuration_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.toml"):
        simulate.main([str(tmp_path / "absent.toml"), str(tmp_path / "set")])
    assert not (tmp_path / "set").exists()


def test_both_arguments_are_needed(capsys):
    with pytest.raises(SystemExit):
        simulate.main(["thesis.toml"])
    assert "OUTPUT" in capsys.readouterr().err.upper()
