import numpy as np
import pytest

from socialmd.run_apart import run_apart
from socialmd.training.search import memory_limit
from socialmd.training.search.memory_limit import available_memory, limit_memory
from socialmd.training.search.run_trial import TrialTask, run_trial
from socialmd.training.training_cost import peak_memory

MEBIBYTE = 2**20


def grow(folder):
    """Take less memory than is allowed, and then more."""
    limit_memory(peak_memory() / 2**30 + 0.4, (folder / "reason").write_text)
    for name, mebibytes in (("less", 100), ("more", 800)):
        np.ones(mebibytes * MEBIBYTE, np.uint8)
        memory_limit.time.sleep(1.0)
        (folder / name).touch()


def test_a_process_ends_when_it_has_needed_too_much(tmp_path):
    """Even if it has given that back by then."""
    assert run_apart(grow, tmp_path) == 1
    assert (tmp_path / "less").is_file()
    assert not (tmp_path / "more").exists()
    reason = (tmp_path / "reason").read_text()
    assert reason.startswith("memory: needed more than ")
    assert "search.memory_gib" in reason


def test_a_trial_is_told_its_limit(tmp_path, search_config, data):
    """The libraries alone need more."""
    task = TrialTask(search_config, data, tmp_path, {}, memory_gib=0.05)
    assert run_apart(run_trial, task) == 1
    assert "memory: needed more than 0.05 GiB" in (tmp_path / "failure.txt").read_text()
    assert not (tmp_path / "history.csv").exists()


def test_this_machine_has_some_memory():
    assert 2**26 < available_memory() < 2**50


@pytest.fixture
def system(tmp_path, monkeypatch):
    """What the operating system says, MiB: 900 of the machine, and of a control group."""
    monkeypatch.setattr(memory_limit, "MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(memory_limit, "CONTROL_GROUP", tmp_path)
    machine = f"MemTotal: {2000 * 1024} kB\nHugePages_Total: 0\nMemAvailable: {900 * 1024} kB\n"
    (tmp_path / "meminfo").write_text(machine)

    def write(version, limit):
        folder = tmp_path if version == 2 else tmp_path / "memory"
        folder.mkdir(exist_ok=True)
        names = {2: ("max", "current", ""), 1: ("limit_in_bytes", "usage_in_bytes", "total_")}
        of_limit, of_use, prefix = names[version]
        number = limit if limit == "max" else limit * MEBIBYTE
        (folder / f"memory.{of_limit}").write_text(f"{number}\n")
        (folder / f"memory.{of_use}").write_text(f"{500 * MEBIBYTE}\n")
        (folder / "memory.stat").write_text(f"anon 7\n{prefix}inactive_file {200 * MEBIBYTE}\n")

    return write


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("limit", "available"), [(600, 300), (5000, 900)])
def test_the_scarcer_of_machine_and_control_group_counts(system, version, limit, available):
    """Without what the group's files take, which give way."""
    system(version, limit)
    assert available_memory() == available * MEBIBYTE


def test_a_control_group_may_be_unlimited(system):
    system(2, "max")
    assert available_memory() == 900 * MEBIBYTE


def test_nothing_is_known_without_files_of_the_system(monkeypatch, tmp_path):
    for name in ("MACHINE", "CONTROL_GROUP"):
        monkeypatch.setattr(memory_limit, name, tmp_path / "none")
    assert available_memory() == float("inf")
