import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socialmd.config import (
    DataConfig,
    ExperimentConfig,
    ManyBodySystem,
    SimulationConfig,
    save_config,
)
from socialmd.data import dataset_description, load_trajectories
from socialmd.data.dataset_description import checksum, read_description
from socialmd.simulation import law_of, simulate, write_dataset
from tests.folder_contents import contents, files

SIMULATION = {
    "num_train": 4,
    "num_validation": 2,
    "num_test": 3,
    "num_steps": 600,
    "time_step": 1e-5,
    "keep_every": 100,
    "seed": 5,
}


def make_config(system=None, **changes):
    return ExperimentConfig(
        system=ManyBodySystem(**({"num_particles": 4} | (system or {}))),
        simulation=SimulationConfig(**(SIMULATION | changes)),
        data=DataConfig(subsample=1, num_phases=1, input_steps=2, target_steps=2),
    )


CONFIG = make_config()


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A data set written in one go."""
    directory = tmp_path_factory.mktemp("complete") / "set"
    write_dataset(CONFIG, directory, progress=False)
    return directory


def test_simulations_are_numbered_through_the_splits(complete):
    assert sorted(files(complete)) == [
        "dataset.json",
        *(f"test/simulation_0000{index}.npy" for index in (6, 7, 8)),
        *(f"train/simulation_0000{index}.npy" for index in (0, 1, 2, 3)),
        *(f"validation/simulation_0000{index}.npy" for index in (4, 5)),
    ]
    frames = simulate(CONFIG.system, 9, 600, 1e-5, 100, seed=5)
    for path in complete.glob("*/*.npy"):
        array = np.load(path)
        assert array.dtype == np.float64
        assert array.shape == (6, 4, 4)
        np.testing.assert_array_equal(array, frames[int(path.stem[-1])])


def test_description_states_law_simulation_and_checksums(complete):
    description = read_description(complete)
    assert description.features == ("x", "y", "mass", "charge")
    assert description.frame_spacing == pytest.approx(1e-3)
    assert ManyBodySystem(**description.law) == CONFIG.system
    assert SimulationConfig(**description.simulation) == CONFIG.simulation
    assert len(description.files) == 9
    for name, digest in description.files.items():
        assert checksum(complete / name) == digest


def test_energy_changes_are_returned_for_every_simulation(tmp_path):
    fine = write_dataset(CONFIG, tmp_path / "fine", progress=False)
    coarse_config = make_config(time_step=1e-4, num_steps=60, keep_every=10)
    coarse = write_dataset(coarse_config, tmp_path / "coarse", progress=False)
    assert fine.shape == coarse.shape == (9,)
    assert 0 < np.median(fine) < 1e-4
    assert np.median(coarse) > 10 * np.median(fine)  # second order: about 100


KILLED = """
import os, signal, sys
import numpy as np
from socialmd.config import load_config
from socialmd.simulation import write_dataset

save, calls = np.save, []

def save_half_of_the_fifth(file, array, **options):
    calls.append(array)
    if len(calls) < 5:
        return save(file, array, **options)
    file.write(array.tobytes()[:100])
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

np.save = save_half_of_the_fifth
write_dataset(load_config(sys.argv[1]), sys.argv[2])
"""


def test_killed_run_leaves_whole_files_and_is_continued_to_the_same_bytes(complete, tmp_path):
    save_config(CONFIG, tmp_path / "config.toml")
    directory = tmp_path / "set"
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "config.toml", directory],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL

    expected, left = files(complete), contents(directory)
    whole = {name: written for name, written in left.items() if name.endswith(".npy")}
    assert 2 <= len(whole) <= 4  # another thread may have been between writing and renaming
    for name, (data, _) in whole.items():
        assert data == expected[name]
    assert "dataset.json" not in left
    assert any(name.endswith(".tmp") for name in left)

    drifts = write_dataset(CONFIG, directory, progress=False)
    assert drifts.shape == (9 - len(whole),)
    assert files(directory) == expected
    for name, written in whole.items():
        assert contents(directory)[name] == written  # not made again


def test_complete_data_set_is_left_alone(complete):
    before = contents(complete)
    assert write_dataset(CONFIG, complete, progress=False).size == 0
    assert contents(complete) == before


def test_missing_file_is_made_again(complete, tmp_path):
    write_dataset(CONFIG, tmp_path, progress=False)
    (tmp_path / "validation/simulation_00005.npy").unlink()
    assert write_dataset(CONFIG, tmp_path, progress=False).size == 1
    assert files(tmp_path) == files(complete)


def test_progress_bar_counts_simulations(tmp_path, capsys):
    write_dataset(CONFIG, tmp_path)
    assert "9/9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make_config(seed=6), r"dataset\.json: .* simulation\.seed: expected 6, found 5"),
        (make_config(num_train=3), r"simulation\.num_train: expected 3, found 4"),
        (make_config({"num_particles": 3}), r"law\.num_particles: expected 3, found 4"),
    ],
)
def test_folder_of_another_configuration_is_refused_untouched(complete, other, message):
    before = contents(complete)
    with pytest.raises(ValueError, match=message):
        write_dataset(other, complete, progress=False)
    assert contents(complete) == before


class InterruptedRunError(Exception):
    pass


def interrupt_after(count, monkeypatch):
    write, written = dataset_description.write_atomically, []

    def write_or_stop(path, fill):
        written.append(path)
        if len(written) > count:
            raise InterruptedRunError
        write(path, fill)

    monkeypatch.setattr(dataset_description, "write_atomically", write_or_stop)


def test_unfinished_folder_of_another_configuration_is_refused_untouched(tmp_path, monkeypatch):
    interrupt_after(3, monkeypatch)
    with pytest.raises(InterruptedRunError):
        write_dataset(CONFIG, tmp_path, progress=False)
    before = contents(tmp_path)
    assert len(list(tmp_path.glob("*/*.npy"))) == 3
    with pytest.raises(ValueError, match=r"unfinished\.json: made otherwise: simulation\.seed"):
        write_dataset(make_config(seed=6), tmp_path, progress=False)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "train/simulation_00004.npy", "train/.a.npy.1.tmp"])
def test_folder_with_a_foreign_file_is_refused_untouched(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=f"expected no file of another origin, found .*{name}"):
        write_dataset(CONFIG, tmp_path, progress=False)
    assert contents(tmp_path) == before


def test_simulations_of_unknown_origin_are_refused_untouched(complete, tmp_path):
    name = "train/simulation_00000.npy"
    (tmp_path / "train").mkdir()
    (tmp_path / name).write_bytes((complete / name).read_bytes())
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"neither .* says how they were made"):
        write_dataset(CONFIG, tmp_path, progress=False)
    assert contents(tmp_path) == before


def test_damaged_file_is_found(tmp_path):
    write_dataset(CONFIG, tmp_path, progress=False)
    path = tmp_path / "test/simulation_00008.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"simulation_00008\.npy: differs from its checksum"):
        write_dataset(CONFIG, tmp_path, progress=False)


def test_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    # Were anything simulated, it would overflow instead.
    config = make_config({"coulomb_constant": 1e308})
    with pytest.raises(NotADirectoryError, match="expected a folder, found a file"):
        write_dataset(config, tmp_path / "file", progress=False)
    with pytest.raises(OSError, match="file"):
        write_dataset(config, tmp_path / "file" / "set", progress=False)

    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="read-only"):
        write_dataset(config, tmp_path / "set", progress=False)


def test_simulation_that_overflows_is_an_error_and_no_file(tmp_path):
    config = make_config({"coulomb_constant": 1e308}, time_step=1e3)
    with pytest.raises(FloatingPointError, match="simulation 0 of seed 5: not finite from frame 1"):
        write_dataset(config, tmp_path, progress=False)
    assert list(files(tmp_path)) == ["unfinished.json"]


def test_energy_that_overflows_is_an_error_and_no_file(tmp_path):
    config = make_config({"coulomb_constant": 1e308})
    with pytest.raises(FloatingPointError, match="simulation 0 of seed 5: energy is not finite"):
        write_dataset(config, tmp_path, progress=False)
    assert list(files(tmp_path)) == ["unfinished.json"]


def test_velocities_are_stored_and_first_frames_left_out(tmp_path):
    config = ExperimentConfig.model_validate(
        {
            "system": {"num_particles": 3, "spring_constant": 2.0},
            "simulation": {
                "num_train": 1,
                "num_validation": 1,
                "num_test": 1,
                "num_steps": 60,
                "keep_every": 1,
                "time_step": 1e-4,
                "discard_frames": 10,
                "velocities": True,
            },
            "data": {"subsample": 1, "num_phases": 1, "target_steps": 3},
        }
    )
    write_dataset(config, tmp_path / "data", progress=False)
    description = read_description(tmp_path / "data")
    layout = description.layout
    assert [block.name for block in layout.blocks][-2:] == ["bonds", "velocity"]
    frames = load_trajectories(tmp_path / "data" / "train").frames[0]
    all_frames, velocities = simulate(config.system, 1, 60, 1e-4, 1, seed=0, return_velocities=True)
    np.testing.assert_array_equal(frames[..., :-2], all_frames[0, 10:])
    np.testing.assert_array_equal(frames[..., layout.velocity], velocities[0, 10:])
    assert description.simulation["discard_frames"] == 10
    reference = ExperimentConfig().simulation.describe()
    assert "discard_frames" not in reference  # older data sets are still their own
    assert "velocities" not in reference


def test_more_frames_cannot_be_left_out_than_there_are():
    with pytest.raises(ValueError, match="discard_frames: expected less than the 3"):
        SimulationConfig(num_steps=3, keep_every=1, discard_frames=3)


def test_what_is_hidden_is_stored_and_not_given(tmp_path):
    def config_that_hides(*names):
        return ExperimentConfig.model_validate(
            {
                "system": {"num_particles": 3, "spring_constant": 2.0},
                "simulation": {
                    "num_train": 1,
                    "num_validation": 1,
                    "num_test": 1,
                    "num_steps": 10,
                    "keep_every": 1,
                    "hidden": list(names),
                },
                "data": {"subsample": 1, "num_phases": 1, "target_steps": 3},
            }
        )

    write_dataset(config_that_hides(), tmp_path / "shown", progress=False)
    write_dataset(config_that_hides("charge", "bonds"), tmp_path / "hidden", progress=False)
    shown, hidden = (
        load_trajectories(tmp_path / name / "train").frames for name in ("shown", "hidden")
    )
    np.testing.assert_array_equal(shown, hidden)
    description = read_description(tmp_path / "hidden")
    assert description.layout.given.in_words() == "position (x, y), mass"
    assert law_of(description) is None  # nobody who is given these could integrate it
    with pytest.raises(
        ValueError, match=r"simulation.hidden: expected features among .*found bonds"
    ):
        write_dataset(
            ExperimentConfig(simulation={"hidden": ["bonds"]}), tmp_path / "none", progress=False
        )
    assert not (tmp_path / "none").exists()
