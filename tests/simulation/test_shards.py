"""Several processes that share the work on one data set: the files are those of one process."""

import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from socialmd import files as atomic_files
from socialmd.config import DataConfig, ExperimentConfig, ManyBodySystem, SimulationConfig
from socialmd.data import dataset_description
from socialmd.shard import Shard
from socialmd.simulation import write_dataset
from socialmd.simulation.write_simulations import simulation_writer
from tests.folder_contents import files

TEMPORARY = ".{}.0123456789abcdef0123456789abcdef.tmp"


def make_config(seed=5):
    return ExperimentConfig(
        system=ManyBodySystem(num_particles=3),
        simulation=SimulationConfig(
            num_train=3,
            num_validation=1,
            num_test=3,
            num_steps=60,
            time_step=1e-5,
            keep_every=10,
            seed=seed,
        ),
        data=DataConfig(subsample=1, num_phases=1, input_steps=2, target_steps=2),
    )


CONFIG, OTHER = make_config(), make_config(seed=6)
TRAIN_0, TRAIN_1 = "train/simulation_00000.npy", "train/simulation_00001.npy"


def write(directory, shard=None, config=CONFIG):
    return write_dataset(config, directory, progress=False, shard=shard)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Files of one process."""
    directory = tmp_path_factory.mktemp("whole") / "set"
    write(directory)
    return files(directory)


@pytest.mark.parametrize("order", [(1,), (2, 1), (3, 1, 2), (9, 8, 7, 6, 5, 4, 3, 2, 1)])
def test_shards_in_any_order_write_the_same_files(expected, tmp_path, order):
    made = 0
    for index in order:
        assert "dataset.json" not in files(tmp_path)
        made += write(tmp_path, Shard(index, len(order))).size
        assert len(list(tmp_path.glob("*/*.npy"))) == made
    assert made == 7
    assert files(tmp_path) == expected


def test_a_shard_makes_its_simulations_only_and_only_once(expected, tmp_path):
    assert write(tmp_path, Shard(2, 3)).size == 2
    found = files(tmp_path)
    simulations = [TRAIN_1, "test/simulation_00004.npy"]
    assert sorted(found) == sorted([*simulations, "unfinished.json"])
    assert all(found[name] == expected[name] for name in simulations)
    assert write(tmp_path, Shard(2, 3)).size == 0
    assert files(tmp_path) == found


def test_shards_at_the_same_time_write_the_same_files(expected, tmp_path):
    # Twice each, which nobody needs, but which must not do harm.
    shards = [Shard(index, 3) for index in (1, 2, 3)] * 2
    barrier = threading.Barrier(len(shards))

    def work(shard):
        barrier.wait()
        return write(tmp_path, shard).size

    with ThreadPoolExecutor(len(shards)) as executor:
        assert sum(executor.map(work, shards)) >= 7
    assert files(tmp_path) == expected


def test_one_process_continues_what_shards_began_and_the_other_way_round(
    expected, tmp_path, monkeypatch
):
    write(tmp_path / "a", Shard(2, 2))
    assert write(tmp_path / "a").size == 4
    assert files(tmp_path / "a") == expected

    interrupt(monkeypatch, TRAIN_1)
    with pytest.raises(InterruptedError):
        write(tmp_path / "b")
    monkeypatch.undo()
    left = len(list((tmp_path / "b").glob("*/*.npy")))
    assert left < 7
    made = [write(tmp_path / "b", Shard(index, 2)).size for index in (1, 2)]
    assert sum(made) == 7 - left
    assert files(tmp_path / "b") == expected


def patch_writing(monkeypatch, write):
    """Of arrays and of texts."""
    for module in (dataset_description, atomic_files):
        monkeypatch.setattr(module, "write_atomically", write)


def interrupt(monkeypatch, name):
    """The first write of a file is interrupted like a process that is killed."""
    write_atomically = atomic_files.write_atomically

    def write_half(path, fill, **options):
        if path.as_posix().endswith(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(TEMPORARY.format(path.name)).write_bytes(b"half")
            raise InterruptedError
        write_atomically(path, fill, **options)

    patch_writing(monkeypatch, write_half)


@pytest.mark.parametrize("name", [TRAIN_1, "dataset.json"])
def test_an_interrupted_shard_can_be_started_again(expected, tmp_path, monkeypatch, name):
    write(tmp_path, Shard(1, 2))
    interrupt(monkeypatch, name)
    with pytest.raises(InterruptedError):
        write(tmp_path, Shard(2, 2))
    monkeypatch.undo()
    write(tmp_path, Shard(2, 2))
    assert files(tmp_path) == expected


def test_what_another_shard_is_writing_is_neither_refused_nor_deleted(expected, tmp_path):
    (tmp_path / "train").mkdir()
    temporary = tmp_path / "train" / TEMPORARY.format("simulation_00001.npy")
    temporary.write_bytes(b"half")
    write(tmp_path, Shard(1, 2))
    assert temporary.read_bytes() == b"half"
    write(tmp_path, Shard(2, 2))
    assert files(tmp_path) == expected


def test_shards_that_complete_the_data_set_at_the_same_moment_both_succeed(
    expected, tmp_path, monkeypatch
):
    write_atomically, met = atomic_files.write_atomically, []

    def complete_meanwhile(path, fill, **options):
        def fill_slowly(file):
            if path.name == "dataset.json" and not met:
                met.append(path)
                write(tmp_path, Shard(1, 2))  # completes, and removes the file being written
            fill(file)

        write_atomically(path, fill_slowly, **options)

    write(tmp_path, Shard(1, 2))
    patch_writing(monkeypatch, complete_meanwhile)
    write(tmp_path, Shard(2, 2))
    assert met
    assert files(tmp_path) == expected


def test_a_simulation_that_two_processes_make_at_the_same_moment_is_no_error(
    expected, tmp_path, monkeypatch
):
    save, met = np.save, []

    def save_slowly(file, array, **options):
        if "simulation_00003" in file.name and not met:
            met.append(file)
            write(tmp_path)  # all of it
        save(file, array, **options)

    monkeypatch.setattr(np, "save", save_slowly)
    write(tmp_path, Shard(1, 3))
    assert met
    assert files(tmp_path) == expected


@pytest.mark.parametrize("shard", [Shard(1, 2), None])
def test_a_data_set_that_another_process_completes_when_this_one_begins_is_no_error(
    expected, tmp_path, monkeypatch, shard
):
    write_atomically, met = atomic_files.write_atomically, []

    def complete_meanwhile(path, fill, **options):
        def fill_slowly(file):
            if not met:
                met.append(path)
                write(tmp_path)
            fill(file)

        write_atomically(path, fill_slowly, **options)

    patch_writing(monkeypatch, complete_meanwhile)
    write(tmp_path, shard)
    assert met
    assert files(tmp_path) == expected


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_folder_may_change_while_it_is_looked_at(expected, tmp_path, monkeypatch, is_begun):
    """Another process begins, or completes the data set, when this one looks for its marker."""
    read_bytes, met = pathlib.Path.read_bytes, []
    if is_begun:
        write(tmp_path, Shard(2, 2))

    def read_before_or_after(path):
        if met or path.name != "unfinished.json":
            return read_bytes(path)
        met.append(path)
        if is_begun:
            write(tmp_path)
            return read_bytes(path)  # it is gone
        try:
            return read_bytes(path)
        finally:
            write(tmp_path, Shard(2, 2))

    monkeypatch.setattr(pathlib.Path, "read_bytes", read_before_or_after)
    write(tmp_path, Shard(1, 2))
    assert met
    assert files(tmp_path) == expected


def test_a_shard_of_another_configuration_is_refused(tmp_path):
    write(tmp_path, Shard(1, 2))
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"made otherwise: simulation\.seed: expected 6, found 5"):
        write(tmp_path, Shard(2, 2), OTHER)
    assert files(tmp_path) == before


def test_of_two_configurations_that_begin_at_the_same_moment_one_is_refused(tmp_path):
    first, second = (simulation_writer(config, tmp_path) for config in (CONFIG, OTHER))
    for writer in (first, second):
        writer.check()
    first.begin(is_alone=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"made otherwise: simulation\.seed: expected 6, found 5"):
        second.begin(is_alone=False)
    assert files(tmp_path) == before
