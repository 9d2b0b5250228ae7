"""From PDB files that these tests write themselves to a data set that models read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from PIL import Image

from socialmd.commands import preprocess
from socialmd.config import DataConfig
from socialmd.data import make_dataset
from socialmd.data.dataset_description import read_description
from socialmd.molecular import FollowedSimulation, MoleculeTrajectories
from socialmd.molecular.shard_folder import ShardFolder
from socialmd.molecular.slices import slice_directions, turn_into_plane
from tests.folder_contents import files

NUM_FRAMES = 10
MOLECULES = ["ONC"] * 8 + ["OQL"] * 6 + ["OCQ"] * 4  # the last ones are not selected
GOLD = np.array([[0, 0, 0], [3, 0, 0], [-3, 0, 0], [0, 3, 0], [0, -3, 0]], float)
ARGUMENTS = ["--frame-spacing", "2", "--half-thickness", "8", "--slices", "3", "--processes", "1"]
ARGUMENTS += ["--shares", "70", "30", "0"]


def molecule_centres(seed):
    """Relative to the innermost gold atom, with the digits that PDB files have, [frames, N, 3]."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(len(MOLECULES), 3)) * 10
    steps = rng.normal(size=(NUM_FRAMES, len(MOLECULES), 3))
    return (start + steps.cumsum(axis=0)).round(3)


def pdb_text(centres, drift):
    """Gold, then molecules of three atoms in a row: the middle one, CM, is nearest the centre."""
    atoms = [("Au", "AU", index + 1, place) for index, place in enumerate(GOLD)]
    for index, (name, centre) in enumerate(zip(MOLECULES, centres, strict=True)):
        for atom, offset in (("CA", -1.5), ("CM", 0.0), ("CB", 1.5)):
            atoms.append((atom, name, len(GOLD) + index + 1, np.add(centre, [0, 0, offset])))
    lines = [
        f"ATOM  {serial:5d}  {atom:<3s} {residue:>3s}  {number:4d}    "
        "{:8.3f}{:8.3f}{:8.3f}  1.00  0.00".format(*(place + drift))
        for serial, (atom, residue, number, place) in enumerate(atoms, start=1)
    ]
    return "\n".join([*lines, "END", ""])


def write_simulation(folder, seed):
    """Write `x.pdb.1`, ... of a nanoparticle that drifts through space."""
    folder.mkdir(parents=True)
    for frame, centres in enumerate(molecule_centres(seed)):
        drift = np.array([30.0, -12.5, 4.0]) + frame * np.array([0.25, 0.5, -1.0])
        (folder / f"x.pdb.{frame + 1}").write_text(pdb_text(centres, drift))
    return str(folder)


@pytest.fixture
def make_simulation(tmp_path):
    return lambda name, seed: write_simulation(tmp_path / name, seed)


def load(path):
    """A file of the data set: positions and the names that its one-hot columns say."""
    array = np.load(path)
    description = read_description(path.parents[1])
    dims = description.spatial_dims
    assert set(np.unique(array[..., dims:])) <= {0.0, 1.0}
    columns = array[0, :, dims:].argmax(axis=1)
    assert (array[..., dims:] == np.eye(2)[columns]).all()
    return array[..., :dims], [description.features[dims + column] for column in columns]


def test_three_dimensions_hold_whole_simulations(make_simulation, tmp_path, capsys):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(3)]
    output = tmp_path / "set"
    preprocess.main(
        [*sources, str(output), *ARGUMENTS, "--dimensions", "3", "--names", "OQL", "ONC"]
    )
    description = read_description(output)
    assert description.features == ("x", "y", "z", "OQL", "ONC")
    assert description.frame_spacing == 2.0
    assert description.radii.keys() == {"OQL", "ONC"}
    assert list(description.files) == [
        "train/simulation_00000.npy",
        "train/simulation_00001.npy",
        "validation/simulation_00002.npy",
    ]
    for seed, name in enumerate(description.files):
        positions, names = load(output / name)
        assert names == MOLECULES[:14]
        np.testing.assert_allclose(positions, molecule_centres(seed)[:, :14], atol=1.5e-3)
        facts = description.preprocessing["files"][name]
        assert facts == {
            "molecules": MOLECULES[:14],
            "atoms": ["CM"] * 14,
            "simulation": seed,
            "slice": None,
            "frames": [0, NUM_FRAMES],
        }
    assert [record["source"] for record in description.preprocessing["simulations"]] == [
        "run_0",
        "run_1",
        "run_2",
    ]
    assert str(tmp_path) not in (output / "dataset.json").read_text()
    printed = capsys.readouterr().out
    assert "10 frames, 14 molecules (8 ONC, 6 OQL)" in printed
    assert f"train: {sources[0]} frames 0 to 9; {sources[1]} frames 0 to 9" in printed
    assert (tmp_path / "set.radial.png").exists()
    assert not (tmp_path / "set.slice.png").exists()


def test_two_dimensions_hold_slices_of_one_simulation_cut_in_time(
    make_simulation, tmp_path, capsys
):
    output = tmp_path / "set"
    arguments = [make_simulation("run", 5), str(output), *ARGUMENTS]
    preprocess.main([*arguments, "--shares", "60", "20", "20", "--window", "3"])
    expected = molecule_centres(5)[:, :14]
    description = read_description(output)
    assert description.features == ("x", "y", "OQL", "ONC")
    assert len(description.files) == 9
    for index, (name, facts) in enumerate(description.preprocessing["files"].items()):
        split, piece = divmod(index, 3)
        frames = slice(*[(0, 6), (6, 8), (8, 10)][split])
        assert name.startswith(("train", "validation", "test")[split])
        assert (facts["slice"], facts["frames"]) == (piece, [frames.start, frames.stop])
        normal = slice_directions(3)[piece]
        turned = turn_into_plane(expected, normal)
        chosen = np.abs(turned[0, :, 2]) <= 8
        positions, names = load(output / name)
        np.testing.assert_allclose(positions, turned[frames, chosen, :2], atol=3e-3)
        assert names == facts["molecules"] == list(np.array(MOLECULES[:14])[chosen])
        record = description.preprocessing["simulations"][0]["slices"][piece]
        np.testing.assert_allclose(record["normal"], normal)
        largest = np.abs(turned[-1, chosen, 2]).max()
        assert record["largest_distance"]["last_frame"] == pytest.approx(largest, abs=3e-3)

    printed = capsys.readouterr().out
    assert "WARNING: a part of validation has 2 frames, but one window takes 3" in printed
    assert "WARNING: a part of test" in printed
    assert "a part of train" not in printed
    for picture in ("set.radial.png", "set.slice.png"):
        with Image.open(tmp_path / picture) as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 20  # not blank


def test_models_read_the_data_set(make_simulation, tmp_path):
    output = tmp_path / "set"
    preprocess.main([make_simulation("run", 5), str(output), *ARGUMENTS])
    paths = sorted((output / "train").iterdir())
    config = DataConfig(
        subsample=1, num_phases=1, input_steps=3, target_steps=4, window_shift=1, num_rotations=0
    )
    [(inputs, targets)] = make_dataset(output / "train", config, batch_size=len(paths))
    counts = [np.load(path).shape[1] for path in paths]
    assert len(set(counts)) > 1
    np.testing.assert_array_equal(inputs["mask"].numpy().sum(axis=1), counts)
    for index, path in enumerate(paths):
        frames = np.load(path).astype(np.float32)
        np.testing.assert_array_equal(inputs["inputs"][index, :, : counts[index]], frames[:3])
        np.testing.assert_array_equal(targets[index, :, : counts[index]], frames[3:, :, :2])


def test_every_second_frame_takes_twice_the_time(make_simulation, tmp_path):
    output = tmp_path / "set"
    arguments = [make_simulation("run", 5), str(output), *ARGUMENTS]
    frames = ["--start", "1", "--stop", "8", "--step", "2"]
    preprocess.main([*arguments, *frames, "--dimensions", "3", "--time-unit", "picosecond"])
    description = read_description(output)
    assert (description.frame_spacing, description.time_unit) == (4.0, "picosecond")
    files = [load(output / name)[0] for name in description.files]
    np.testing.assert_allclose(np.concatenate(files), molecule_centres(5)[1:8:2, :14], atol=1.5e-3)
    record = description.preprocessing["simulations"][0]
    assert (record["first_frame"], record["last_frame"]) == ("x.pdb.2", "x.pdb.8")


def test_a_finished_data_set_is_left_alone(make_simulation, tmp_path, capsys):
    source, output = make_simulation("run", 5), tmp_path / "set"
    arguments = [source, str(output), *ARGUMENTS, "--dimensions", "3"]
    preprocess.main(arguments)
    written = {path: path.stat().st_mtime_ns for path in output.rglob("*.*")}
    preprocess.main(arguments)
    assert "already complete: 2 files" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.*")} == written
    # Files that are older do not name radii.
    said = json.loads((output / "dataset.json").read_text())
    (output / "dataset.json").write_text(json.dumps({**said, "radii": None}))
    preprocess.main(arguments)
    assert "already complete: 2 files" in capsys.readouterr().out
    # Other settings are refused before anything is read.
    (tmp_path / "run" / "x.pdb.1").write_text("no PDB file")
    for words, message in (
        (["--step", "3"], "step: expected 3, found 1"),
        (["--frame-spacing", "5"], r"frame_spacing: expected 5\.0, found 2\.0"),
        (["--time-unit", "second"], "time_unit: expected second, found nanosecond"),
    ):
        with pytest.raises(ValueError, match=rf"made otherwise: settings\.{message}"):
            preprocess.main([*arguments, *words])


def test_one_molecule_that_walls_have_cut_does_not_decide_on_radii(rng):
    def simulation(*radii):
        names, positions = ("OQL",) * len(radii), rng.normal(size=(2, len(radii), 3))
        return FollowedSimulation("run", positions, names, names, np.array(radii), ["1", "2"])

    some = [simulation(2.0, 2.1, 30.0), simulation(1.9, 2.2)]
    assert preprocess.typical_radii(some) == {"OQL": 2.1}


def test_short_parts_are_warned_of_before_reading(make_simulation, tmp_path, capsys):
    arguments = [make_simulation("run", 5), str(tmp_path / "set"), *ARGUMENTS]
    (tmp_path / "run" / "x.pdb.1").write_text("no PDB file")
    with pytest.raises(ValueError, match="expected atoms"):
        preprocess.main(arguments)
    assert "WARNING: a part of train has 7 frames" in capsys.readouterr().out


def rename(folder, before, after):
    """Give the residues of a simulation another name."""
    for path in sorted(Path(folder).iterdir()):
        path.write_text(path.read_text().replace(f" {before} ", f" {after} "))


def test_a_simulation_of_drugs_only_may_stand_beside_a_mixed_one(make_simulation, tmp_path):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(2)]
    rename(sources[0], "ONC", "OCN")
    output = tmp_path / "set"
    arguments = [*sources, str(output), *ARGUMENTS, "--dimensions", "3"]
    preprocess.main([*arguments, "--names", "OQL", "ONC"])
    files = [load(output / name)[1] for name in read_description(output).files]
    assert files == [["OQL"] * 6, MOLECULES[:14]]


def test_names_of_other_molecules_can_be_given(make_simulation, tmp_path):
    output = tmp_path / "set"
    arguments = [make_simulation("run", 5), str(output), *ARGUMENTS]
    preprocess.main([*arguments, "--dimensions", "3", "--names", "OCQ", "OQL"])
    description = read_description(output)
    assert description.features == ("x", "y", "z", "OCQ", "OQL")
    assert description.preprocessing["settings"]["select"] == "resname OCQ OQL"
    assert load(output / "train/simulation_00000.npy")[1] == MOLECULES[8:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--names", "OQL", "ONX"], "found none of ONX; 'resname OQL ONX' finds OQL"),
        # Molecules that are there, but not selected, are no feature either.
        (["--select", "resname OQL"], "found none of ONC; 'resname OQL' finds OQL"),
        (
            ["--select", "resname OQL ONC OCQ"],
            r"run_0/x\.pdb\.1: names: expected molecules named OQL or ONC, found OCQ; residues in "
            r"the file: ONC \(8\), OQL \(6\), AU \(5\), OCQ \(4\)",
        ),
    ],
)
def test_names_must_be_those_of_the_molecules(make_simulation, tmp_path, arguments, message):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(2)]
    (tmp_path / "run_0" / "x.pdb.2").write_text("found before this file is read")
    with pytest.raises(ValueError, match=message):
        preprocess.main([*sources, str(tmp_path / "set"), *ARGUMENTS, *arguments])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_0", "run_1"]


def test_malformed_last_simulation_leaves_nothing(make_simulation, tmp_path):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(2)]
    (tmp_path / "run_1" / "x.pdb.7").write_text(pdb_text(molecule_centres(1)[6] * np.nan, 0))
    with pytest.raises(ValueError, match=r"run_1/x\.pdb\.7"):
        preprocess.main([*sources, str(tmp_path / "set"), *ARGUMENTS])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_0", "run_1"]


def test_there_is_a_test_split_by_default(make_simulation, tmp_path):
    source, output = make_simulation("run", 5), tmp_path / "set"
    preprocess.main([source, str(output), "--frame-spacing", "2", "--dimensions", "3"])
    shapes = {name: np.load(output / name).shape[0] for name in read_description(output).files}
    assert list(shapes.values()) == [7, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--half-thickness", "0.001"], r"run: half_thickness: expected at least two molecules"),
        (["--names", "OQL", "ONC", "OQL"], "names: expected different ones, .* found 'OQL'"),
        (["--names", "OQL", "x"], "names: expected different ones, none of x, y, z, found 'x'"),
    ],
)
def test_what_cannot_succeed_is_refused_before_much_is_read(
    make_simulation, tmp_path, monkeypatch, arguments, message
):
    """Hours later, in the worst case, nothing would be kept."""
    source, run, read = make_simulation("run", 5), MoleculeTrajectories.run, []

    def count(self, start=None, stop=None, step=None, verbose=False):
        read.append(range(10)[start:stop:step])
        return run(self, start, stop, step, verbose)

    monkeypatch.setattr(MoleculeTrajectories, "run", count)
    with pytest.raises(ValueError, match=message):
        preprocess.main([source, str(tmp_path / "set"), *ARGUMENTS, *arguments])
    assert sum(map(len, read)) <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_output_that_cannot_be_written_is_refused_unread(make_simulation, tmp_path):
    source = make_simulation("run", 5)
    (tmp_path / "run" / "x.pdb.1").write_text("no PDB file")
    for output in ("/proc/set", str(tmp_path / "run/x.pdb.2/set")):
        with pytest.raises(OSError, match="set"):
            preprocess.main([source, output, *ARGUMENTS])


def test_an_output_may_be_a_link(make_simulation, tmp_path):
    """To a disk with more room, say; pictures go beside the link."""
    source = make_simulation("run", 5)
    (tmp_path / "disk").mkdir()
    (tmp_path / "set").symlink_to(tmp_path / "disk")
    preprocess.main([source, str(tmp_path / "set"), *ARGUMENTS])
    assert (tmp_path / "disk/dataset.json").is_file()
    assert (tmp_path / "set.radial.png").is_file()
    assert (tmp_path / "set").is_symlink()


def test_names_of_links_are_kept(make_simulation, tmp_path):
    """Data under git-annex or DVC lie elsewhere, under names that say nothing."""
    make_simulation("6d9b2c", 5)
    (tmp_path / "run").symlink_to(tmp_path / "6d9b2c")
    preprocess.main([str(tmp_path / "run"), str(tmp_path / "set"), *ARGUMENTS])
    description = read_description(tmp_path / "set")
    assert description.preprocessing["settings"]["sources"] == ["run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--half-thickness", "0.001"], r"run: half_thickness: expected at least two molecules"),
        (["--shares", "0", "0", "0"], "shares: expected some that are not zero"),
        (["--select", "resname XYZ"], "XYZ"),
    ],
)
def test_impossible_requests_leave_nothing(make_simulation, tmp_path, arguments, message):
    source = make_simulation("run", 5)
    with pytest.raises(ValueError, match=message):
        preprocess.main([source, str(tmp_path / "set"), *ARGUMENTS, *arguments])
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_one_simulation_is_not_taken_twice(make_simulation, tmp_path):
    source = make_simulation("run", 5)
    for second in (source, f"{source}/"):
        with pytest.raises(ValueError, match="expected different simulations"):
            preprocess.main([source, second, str(tmp_path / "set"), *ARGUMENTS])


def test_too_few_simulations_for_the_splits_are_refused_unread(make_simulation, tmp_path):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(2)]
    (tmp_path / "run_0" / "x.pdb.1").write_text("no PDB file")
    with pytest.raises(ValueError, match="as many simulations as there are splits"):
        preprocess.main([*sources, str(tmp_path / "set"), *ARGUMENTS, "--shares", "1", "1", "1"])


def test_simulations_of_different_lengths_are_refused_unread(make_simulation, tmp_path):
    sources = [make_simulation(f"run_{seed}", seed) for seed in range(3)]
    (tmp_path / "run_0" / "x.pdb.1").write_text("no PDB file")
    (tmp_path / "run_1" / "x.pdb.10").unlink()
    with pytest.raises(ValueError, match=r"found \[9, 10\]; use the first 9"):
        preprocess.main([*sources, str(tmp_path / "set"), *ARGUMENTS])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--frame-spacing", "1", "--centre", "none"],
            "--centre none: expected with --dimensions 3",
        ),
        (["--frame-spacing", "0"], "expected a positive number, found 0"),
        (["--frame-spacing", "nan"], "expected a positive number, found nan"),
        (["--frame-spacing", "1", "--start", "-1"], "--start: expected 0 or more, found -1"),
        (["--frame-spacing", "1", "--dimensions", "4"], "--dimensions"),
        (["--frame-spacing", "1", "--shard", "5/4"], "1/n to n/n, as 2/4, found 5/4"),
    ],
)
def test_impossible_command_lines_are_explained(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        preprocess.main(["run", str(tmp_path / "set"), *arguments])
    assert message in capsys.readouterr().err


# === Times ===


def write_xtc(folder, spacing, seed=5):
    """The simulation with times, in picoseconds."""
    write_simulation(folder, seed)
    topology, trajectory = folder / "conf.pdb", folder / "traj.xtc"
    frames = [folder / f"x.pdb.{number}" for number in range(1, NUM_FRAMES + 1)]
    universes = [
        MDAnalysis.Universe(str(path), topology_format="PDB", format="PDB") for path in frames
    ]
    with MDAnalysis.Writer(str(trajectory), n_atoms=len(universes[0].atoms)) as writer:
        for number, universe in enumerate(universes):
            universe.dimensions = [500, 500, 500, 90, 90, 90]
            universe.trajectory.ts.time = number * spacing
            writer.write(universe.atoms)
    frames[0].rename(topology)
    for path in frames[1:]:
        path.unlink()
    return str(folder)


@pytest.mark.filterwarnings("ignore")
def test_times_are_those_of_the_files(tmp_path):
    """A folder with one topology and one trajectory is understood."""
    source = write_xtc(tmp_path / "run", 20.0)
    arguments = ["--dimensions", "3", "--processes", "1", "--step", "2"]

    def spacing(name, *words):
        preprocess.main([source, str(tmp_path / name), *arguments, *words])
        description = read_description(tmp_path / name)
        return description.frame_spacing, description.time_unit

    assert spacing("a") == (0.04, "nanosecond")
    assert spacing("b", "--time-unit", "picosecond") == (40.0, "picosecond")
    assert spacing("c", "--time-unit", "picosecond", "--frame-spacing", "20") == (
        40.0,
        "picosecond",
    )
    with pytest.raises(
        ValueError, match=r"run: expected frames 1 nanoseconds apart, .* found 0\.02"
    ):
        spacing("d", "--frame-spacing", "1")
    with pytest.raises(ValueError, match=r"--time-unit: expected one of .*, found 'step'"):
        spacing("d", "--time-unit", "step", "--frame-spacing", "1")
    assert spacing("d", "--frame-spacing", "1", "--ignore-times") == (2.0, "nanosecond")
    source = write_xtc(tmp_path / "other", 10.0, seed=6)
    with pytest.raises(
        ValueError,
        match=r"other: expected frames 0\.02 nanoseconds apart, as in others, found 0\.01",
    ):
        preprocess.main(
            [
                str(tmp_path / "run"),
                source,
                str(tmp_path / "e"),
                *arguments,
                "--shares",
                "1",
                "1",
                "0",
            ]
        )


def test_times_that_files_do_not_say_must_be_given(make_simulation, tmp_path):
    source = make_simulation("run", 5)
    with pytest.raises(ValueError, match="--frame-spacing: expected the time between two frames"):
        preprocess.main([source, str(tmp_path / "set")])


def test_simulations_are_not_written_over(make_simulation):
    """Where to write to was forgotten: the last simulation stands in its place."""
    first, second = make_simulation("one", 5), make_simulation("two", 6)
    before = files(Path(second))
    with pytest.raises((ValueError, FileNotFoundError), match="two"):
        preprocess.main([first, second, *ARGUMENTS])
    assert files(Path(second)) == before


def test_a_fluid_has_no_centre(make_simulation, tmp_path):
    """Places are those in the files, and nothing is drawn around a centre."""
    source, output = make_simulation("run", 5), tmp_path / "set"
    words = ["--dimensions", "3", "--centre", "none"]
    preprocess.main([source, str(output), *ARGUMENTS, *words])
    positions, _ = load(output / "train/simulation_00000.npy")
    drift = [30.0, -12.5, 4.0] + np.arange(7)[:, None, None] * [0.25, 0.5, -1.0]
    np.testing.assert_allclose(positions, molecule_centres(5)[:7, :14] + drift, atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "set"]


# === Shards ===

# Imports once, then divides itself; the processes begin at the same moment.
PROCESSES = """
import multiprocessing, sys
from socialmd.commands import preprocess

context = multiprocessing.get_context("fork")
shards = ["1/2", "2/2", "2/2"]  # one is started twice, as by mistake
barrier = context.Barrier(len(shards))

def work(shard):
    barrier.wait()
    preprocess.main([*sys.argv[1:], "--shard", shard])

processes = [context.Process(target=work, args=[shard]) for shard in shards]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return [write_simulation(folder / f"run_{seed}", seed) for seed in range(4)]


@pytest.fixture(scope="module")
def expected(sources, tmp_path_factory):
    """What one process writes: three slices of each simulation."""
    folder = tmp_path_factory.mktemp("one")
    preprocess.main([*sources, str(folder / "set"), *ARGUMENTS])
    found = files(folder)
    assert {"set.radial.png", "set.slice.png", "set/dataset.json"} < set(found)
    assert len(found) == 3 + 12
    return found


@pytest.fixture
def work(sources, tmp_path):
    """A function that runs the pipeline."""
    return lambda *words: preprocess.main([*sources, str(tmp_path / "set"), *ARGUMENTS, *words])


@pytest.fixture
def was_read(monkeypatch):
    """Simulations that are read, but for their first frames."""
    run, read = MoleculeTrajectories.run, []

    def record(molecules, start=None, stop=None, step=None, verbose=False):
        if verbose:
            read.append(molecules.files.paths[0].parent.name)
        return run(molecules, start, stop, step)

    monkeypatch.setattr(MoleculeTrajectories, "run", record)
    return read


def test_processes_at_the_same_time_write_what_one_process_writes(sources, expected, tmp_path):
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", PROCESSES, *sources, tmp_path / "set", *ARGUMENTS],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
    )
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()


def test_shards_in_any_order_write_the_same_files(work, expected, tmp_path, capsys, was_read):
    for index, read, missing in ((2, ["run_1"], 3), (3, ["run_2"], 2), (2, [], 2)):
        work("--shard", f"{index}/3")
        assert was_read == read
        was_read.clear()
        assert capsys.readouterr().out.endswith(
            f"set: {missing} of 4 simulations are still to be read: other shards are not done yet\n"
        )
        assert [path.name for path in tmp_path.iterdir()] == [".set.shards"]
    work("--shard", "1/3")
    assert was_read == ["run_0", "run_3"]
    assert "set: wrote 12 files" in capsys.readouterr().out
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()

    # Nothing is done twice.
    was_read.clear()
    work("--shard", "1/3")
    assert was_read == []
    assert "set: already complete; without --shard it is compared" in capsys.readouterr().out
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()


def test_one_process_continues_what_an_interrupted_shard_began(
    work, expected, tmp_path, was_read, monkeypatch
):
    record = MoleculeTrajectories.run

    def interrupt(molecules, *arguments, verbose=False):
        if verbose and was_read == ["run_0"]:
            raise InterruptedError
        return record(molecules, *arguments, verbose=verbose)

    monkeypatch.setattr(MoleculeTrajectories, "run", interrupt)
    with pytest.raises(InterruptedError):
        work("--shard", "1/2")
    monkeypatch.setattr(MoleculeTrajectories, "run", record)
    was_read.clear()
    work()
    assert was_read == ["run_1", "run_2", "run_3"]
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()


def test_shards_of_other_settings_are_refused_unread(work, tmp_path, was_read):
    work("--shard", "1/4")
    before = files(tmp_path)
    was_read.clear()
    for words in (["--shard", "2/4"], []):
        with pytest.raises(ValueError, match=r"made otherwise: .*step: expected 3, found 1"):
            work(*words, "--step", "3")
    assert was_read == []
    assert files(tmp_path) == before


def test_shards_that_find_everything_there_at_the_same_moment_both_succeed(
    work, expected, tmp_path, monkeypatch, capsys
):
    load, met = ShardFolder.load, []

    def complete_meanwhile(folder, number):
        if number == 2 and not met:
            met.append(number)
            work("--shard", "1/2")
        return load(folder, number)

    work("--shard", "1/2")
    monkeypatch.setattr(ShardFolder, "load", complete_meanwhile)
    work("--shard", "2/2")
    assert met
    assert "set: already complete;" in capsys.readouterr().out
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()


def test_the_next_shard_draws_if_the_last_one_was_interrupted(
    work, expected, tmp_path, monkeypatch
):
    def interrupt(*_):
        raise InterruptedError

    monkeypatch.setattr(preprocess, "draw_radial", interrupt)
    with pytest.raises(InterruptedError):
        work("--shard", "1/1")
    monkeypatch.undo()
    assert not (tmp_path / "set.radial.png").exists()
    work("--shard", "1/1")
    assert files(tmp_path) == expected
    assert not (tmp_path / ".set.shards").exists()
