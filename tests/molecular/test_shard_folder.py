import json

import numpy as np
import pytest

from socialmd.molecular import FollowedSimulation, SimulationFiles
from socialmd.molecular.shard_folder import ShardFolder

SETTINGS = {"step": 1, "split": (70.0, 30.0, 0.0)}


@pytest.fixture
def simulations(tmp_path):
    """Files of three simulations; what is in them does not matter here."""
    for number in range(3):
        (tmp_path / f"run_{number}").mkdir()
        for frame in (1, 2):
            (tmp_path / f"run_{number}" / f"x.pdb.{frame}").write_text("MODEL")
    return [SimulationFiles.find(tmp_path / f"run_{number}") for number in range(3)]


@pytest.fixture
def output(tmp_path):
    return tmp_path / "data" / "set"


def make_simulation(rng):
    return FollowedSimulation(
        source="run_1",
        positions=rng.normal(size=(5, 3, 3)),
        names=("OQL", "ONC", "OQL"),
        atoms=("C1", "N2", "O'"),
        radii=rng.uniform(size=3),
        anchors=rng.normal(size=(3, 3)),
        frames=["x.pdb.1", "x.pdb.2"],
    )


def test_what_was_read_comes_back_bit_for_bit(output, simulations, rng):
    simulation = make_simulation(rng)
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.claim()
    assert folder.missing() == [0, 1, 2]
    folder.save(1, simulation)
    for again in (folder, ShardFolder(output, SETTINGS, simulations)):
        assert again.missing() == [0, 2]
        assert again.load(0) is None
        loaded = again.load(1)
        assert loaded.positions.tobytes() == simulation.positions.tobytes()
        assert loaded.radii.tobytes() == simulation.radii.tobytes()
        assert loaded.anchors.tobytes() == simulation.anchors.tobytes()
        assert loaded.boxes is None
        # They go to `dataset.json`.
        for key in ("source", "names", "atoms", "frames"):
            assert json.dumps(getattr(loaded, key)) == json.dumps(getattr(simulation, key))


def test_nothing_is_written_before_it_is_claimed(output, simulations):
    folder = ShardFolder(output, SETTINGS, simulations)
    assert folder.missing() == [0, 1, 2]
    folder.remove()
    assert not output.parent.exists()


def test_half_a_file_does_not_count_and_is_removed(output, simulations, rng):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.save(0, make_simulation(rng))
    whole = folder.path / "simulation_00000.npz"
    half = folder.path / f".{whole.name}.0123456789abcdef.tmp"
    half.write_bytes(whole.read_bytes()[:100])
    whole.unlink()
    assert folder.missing() == [0, 1, 2]
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.parametrize("change", ["size", "time", "name"])
def test_a_simulation_whose_files_have_changed_is_to_be_read_again(
    output, simulations, rng, change
):
    folder = ShardFolder(output, SETTINGS, simulations)
    for number in (0, 1):
        folder.save(number, make_simulation(rng))
    path = simulations[1].paths[1]
    if change == "size":
        path.write_text("MODEL and more")
    elif change == "time":
        path.touch()
    else:
        path.rename(path.with_name("x.pdb.3"))
        simulations[1].paths[0].rename(path)
        simulations[1] = SimulationFiles.find(path.parent)
    folder = ShardFolder(output, SETTINGS, simulations)
    assert folder.missing() == [1, 2]
    assert folder.load(1) is None


def test_a_topology_counts_as_well(output, tmp_path, rng):
    for name in ("a.psf", "a.dcd"):
        (tmp_path / name).write_text("atoms")
    simulations = [SimulationFiles.find(f"{tmp_path / 'a.psf'}:{tmp_path / 'a.dcd'}")]
    ShardFolder(output, SETTINGS, simulations).save(0, make_simulation(rng))
    assert ShardFolder(output, SETTINGS, simulations).missing() == []
    (tmp_path / "a.psf").write_text("other atoms")
    assert ShardFolder(output, SETTINGS, simulations).missing() == [0]


def test_other_settings_are_refused(output, simulations, rng):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.claim()
    folder.save(0, make_simulation(rng))
    before = {path: path.read_bytes() for path in folder.path.iterdir()}
    message = r"\.set\.shards/settings\.json: made otherwise: step: expected 2, found 1"
    with pytest.raises(ValueError, match=message):
        ShardFolder(output, SETTINGS | {"step": 2}, simulations)
    assert {path: path.read_bytes() for path in folder.path.iterdir()} == before


def test_of_two_settings_that_begin_at_the_same_moment_one_is_refused(output, simulations):
    first = ShardFolder(output, SETTINGS, simulations)
    second = ShardFolder(output, SETTINGS | {"step": 2}, simulations)
    first.claim()
    with pytest.raises(ValueError, match="made otherwise: step: expected 2, found 1"):
        second.claim()


def test_what_was_read_with_other_settings_does_not_count(output, simulations, rng):
    ShardFolder(output, SETTINGS, simulations).save(0, make_simulation(rng))
    assert ShardFolder(output, SETTINGS | {"step": 2}, simulations).missing() == [0, 1, 2]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-50], lambda _: b"", lambda _: b"PK\3\4text"]
)
def test_damaged_files_are_named(output, simulations, rng, damage):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.save(2, make_simulation(rng))
    path = folder.path / "simulation_00002.npz"
    path.write_bytes(damage(path.read_bytes()))
    for look in (folder.missing, lambda: folder.load(2)):
        with pytest.raises(ValueError, match=r"simulation_00002\.npz: damaged .* remove it"):
            look()


def test_a_changed_number_is_found(output, simulations, rng):
    folder = ShardFolder(output, SETTINGS, simulations)
    simulation = make_simulation(rng)
    folder.save(2, simulation)
    path = folder.path / "simulation_00002.npz"
    data = bytearray(path.read_bytes())
    data[data.index(simulation.positions.tobytes()) + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"simulation_00002\.npz: damaged"):
        folder.load(2)


def test_objects_are_neither_written_nor_read(output, simulations, rng):
    folder = ShardFolder(output, SETTINGS, simulations)
    with pytest.raises(ValueError, match="Object arrays"):
        folder.save(0, make_simulation(rng)._replace(positions=np.array([object()])))
    assert not list(folder.path.iterdir())
    np.savez(folder.path / "simulation_00000.npz", fingerprint=np.array([object()]))
    with pytest.raises(ValueError, match=r"damaged .*Object arrays"):
        folder.load(0)


def test_settings_that_are_no_json_are_named(output, simulations):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.claim()
    (folder.path / "settings.json").write_text("{")
    with pytest.raises(ValueError, match=r"settings\.json: expected JSON, found none"):
        ShardFolder(output, SETTINGS, simulations)


def test_a_folder_that_is_being_removed_is_no_error(output, simulations, rng, monkeypatch):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.claim()
    savez = np.savez

    def remove_meanwhile(file, **arrays):
        folder.remove()
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", remove_meanwhile)
    folder.save(0, make_simulation(rng))
    assert folder.missing() == [0, 1, 2]
    folder.remove()
    assert not folder.path.exists()


def test_files_of_others_are_not_removed(output, simulations, rng):
    folder = ShardFolder(output, SETTINGS, simulations)
    folder.claim()
    folder.save(0, make_simulation(rng))
    (folder.path / "notes.txt").write_text("mine")
    folder.remove()
    assert [path.name for path in folder.path.iterdir()] == ["notes.txt"]
