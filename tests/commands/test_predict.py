import re
import shutil
import sys

import MDAnalysis
import numpy as np
import pytest

from socialmd.commands import predict
from socialmd.data import FeatureBlock, FeatureLayout, describe_dataset
from socialmd.models import SequenceLSTM, load


@pytest.fixture(scope="module", autouse=True)
def _one_model(load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "load", load_once)
        yield


@pytest.fixture(scope="module")
def file(experiment):
    return sorted((experiment.data / "test").iterdir())[0]


NAMES = ["OQL", "ONC", "OQL"]


def write_molecules(folder, spatial_dims=2, one_hot=((0, 1), (1, 0), (0, 1)), **description):
    """Data set of one file: 40 frames of three particles in uniform motion, two more features."""
    start, velocity = np.random.default_rng(5).uniform(-2, 2, (2, 3, spatial_dims))
    positions = start + velocity * 0.05 * np.arange(40)[:, None, None]
    features = np.broadcast_to(np.array(one_hot, float), (40, 3, 2))
    (folder / "test").mkdir(parents=True)
    file = folder / "test" / "simulation_00000.npy"
    np.save(file, np.concatenate([positions, features], axis=-1))
    arguments = {
        "features": [*"xyz"[:spatial_dims], "ONC", "OQL"],
        "frame_spacing": 0.5,
        "spatial_dims": spatial_dims,
        "length_unit": "angstrom",
        "time_unit": "nanosecond",
    }
    describe_dataset(folder, **(arguments | description))
    return file


@pytest.fixture(scope="module")
def molecules(tmp_path_factory):
    return write_molecules(tmp_path_factory.mktemp("molecules"))


def run(experiment, file, output, *options):
    predict.main([str(experiment.model), str(file), str(output), *map(str, options)])


def read_xyz(path):
    """Times [frames], property names, and the numbers of each line [frames, N, columns]."""
    lines = path.read_text().splitlines()
    num_particles = int(lines[0])
    blocks = [lines[i : i + num_particles + 2] for i in range(0, len(lines), num_particles + 2)]
    comments = [dict(part.split("=") for part in block[1].split(" ", 2)[:2]) for block in blocks]
    names = comments[0]["Properties"].split(":")[::3]
    words = 2 if "resname" in names else 1
    numbers = [[line.split()[words:] for line in block[2:]] for block in blocks]
    return np.array([float(c["Time"]) for c in comments]), names, np.array(numbers, float)


def read_words(path, column):
    """A column of all lines, [frames][N]."""
    lines = path.read_text().splitlines()
    num_particles = int(lines[0])
    words = [line.split()[column] if len(line.split()) > column else "" for line in lines]
    step = num_particles + 2
    return [words[i + 2 : i + step] for i in range(0, len(lines), step)]


def read_pdb(path):
    """Atoms, and positions [frames, N, 3]."""
    universe = MDAnalysis.Universe(path, to_guess=())
    positions = np.array([frame.positions.copy() for frame in universe.trajectory])
    universe.trajectory.close()
    return universe.atoms, positions


def test_latest_frames_are_the_past_by_default(experiment, file, tmp_path):
    run(experiment, file, tmp_path)
    trajectory = np.load(file)
    model = load(experiment.model)
    positions, parameters = model.rollout(trajectory[[35, 37, 39]][None], 4)
    np.testing.assert_allclose(np.load(tmp_path / "forecast.npy"), positions[0], atol=1e-6)
    np.testing.assert_allclose(np.load(tmp_path / "parameters.npy"), parameters[0], atol=1e-6)
    assert not (tmp_path / "truth.xyz").exists()


def test_xyz_holds_forecast_features_and_width(experiment, file, tmp_path):
    run(experiment, file, tmp_path)
    times, names, numbers = read_xyz(tmp_path / "forecast.xyz")
    assert names == ["species", "pos", "mass", "charge", "sigma"]
    assert read_words(tmp_path / "forecast.xyz", 0) == [["X"] * 3] * 4
    # Frame 39 is the last one known; the model sees every second, 0.25 apart.
    np.testing.assert_allclose(times, [41 * 0.25, 43 * 0.25, 45 * 0.25, 47 * 0.25])
    positions = np.load(tmp_path / "forecast.npy")
    np.testing.assert_array_equal(numbers[..., :2].astype(np.float32), positions)
    np.testing.assert_array_equal(numbers[..., 2], 0)
    features = np.broadcast_to(np.load(file)[-1, :, 2:], (4, 3, 2))
    np.testing.assert_allclose(numbers[..., 3:5], features, rtol=1e-8)
    sigma_x, sigma_y = np.moveaxis(np.load(tmp_path / "parameters.npy")[..., 2:4], -1, 0)
    np.testing.assert_allclose(numbers[..., 5], np.hypot(sigma_x, sigma_y) / np.sqrt(2), rtol=1e-4)


def test_truth_is_written_and_compared_where_the_file_goes_on(experiment, file, tmp_path, capsys):
    run(experiment, file, tmp_path, "--start-frame", 29, "--num-steps", 6)
    trajectory = np.load(file)
    truth_times, names, numbers = read_xyz(tmp_path / "truth.xyz")
    times, _, forecast = read_xyz(tmp_path / "forecast.xyz")
    assert forecast.shape == (6, 3, 6)  # no errors: they are not known for all steps
    assert names == ["species", "pos", "mass", "charge"]
    np.testing.assert_allclose(numbers[..., :2], trajectory[[35, 37, 39], :, :2], rtol=1e-8)
    np.testing.assert_array_equal(numbers[..., 3:], forecast[:3, :, 3:5])  # the same particles
    np.testing.assert_allclose(truth_times, [35 * 0.25, 37 * 0.25, 39 * 0.25])
    np.testing.assert_array_equal(truth_times, times[:3])
    printed = capsys.readouterr().out
    assert "for 3 of these steps" in printed
    error = np.abs(forecast[:3, :, :2] - numbers[..., :2]).mean()
    rows = {line[:17].strip(): line.split() for line in printed.splitlines()}
    assert float(rows["model"][1]) == pytest.approx(error, abs=1e-4)
    assert rows["constant velocity"][2] == "0.0000"
    assert "1 simulation is too few to tell whether model beats constant velocity" in printed
    model = load(experiment.model)
    parameters = np.load(tmp_path / "parameters.npy")[:3]
    log_probability = model.distribution(parameters).log_prob(np.float32(numbers[..., :2]))
    assert float(rows["model"][-1]) == pytest.approx(-np.mean(log_probability), rel=1e-3, abs=1e-4)


def test_a_sample_has_no_likelihood(experiment, file, tmp_path, capsys):
    run(experiment, file, tmp_path, "--start-frame", 0, "--feedback", "sample")
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("model "))
    assert row.split()[-1] == "-"


def test_nothing_of_an_earlier_forecast_stays(experiment, file, tmp_path):
    run(experiment, file, tmp_path, "--start-frame", 0, "--num-samples", 2, "--pdb")
    always = {"forecast.npy", "parameters.npy", "forecast.xyz"}
    others = {"truth.xyz", "samples.npy", "forecast.pdb", "truth.pdb"}
    assert {path.name for path in tmp_path.iterdir()} == always | others
    run(experiment, file, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == always


def test_errors_are_distances_from_a_truth_that_is_known_for_all_steps(experiment, file, tmp_path):
    run(experiment, file, tmp_path, "--start-frame", 0)
    _, names, numbers = read_xyz(tmp_path / "forecast.xyz")
    assert names == ["species", "pos", "mass", "charge", "sigma", "error"]
    truth = np.load(file)[[6, 8, 10, 12], :, :2]
    distances = np.hypot(*np.moveaxis(np.load(tmp_path / "forecast.npy") - truth, -1, 0))
    np.testing.assert_allclose(numbers[..., -1], distances, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_molecules_all_alike_have_names_and_atoms(experiment, tmp_path):
    """A data set of molecules says so; masses of one look the same."""
    origin = {"molecules": ["ONC"] * 3, "atoms": ["C1", "N2", "C1"]}
    preprocessing = {"files": {"test/simulation_00000.npy": origin}}
    one_hot = ((1, 0), (1, 0), (1, 0))
    file = write_molecules(tmp_path / "data", one_hot=one_hot, preprocessing=preprocessing)
    run(experiment, file, tmp_path / "a", "--start-frame", 0)
    assert read_words(tmp_path / "a" / "forecast.xyz", 1) == [["ONC"] * 3] * 4
    for name in ("forecast", "truth"):
        atoms, _ = read_pdb(tmp_path / "a" / f"{name}.pdb")
        assert list(atoms.names) == ["C1", "N2", "C1"]
        assert list(atoms.resnames) == ["ONC"] * 3


def test_names_of_features_become_different_identifiers(experiment, tmp_path):
    """Other alphabets are taken by training; no column is lost."""
    for features, expected in (
        (["a b", "a_b"], ["a_b", "a_b_"]),
        (["质量", "заряд"], ["feature_0", "feature_1"]),
        (["größe", "2nd"], ["groe", "feature_12nd"]),
        (["sigma", "error"], ["sigma_", "error_"]),
    ):
        file = write_molecules(
            tmp_path / features[0], one_hot=((2, 3), (4, 5), (6, 7)), features=["x", "y", *features]
        )
        run(experiment, file, tmp_path / "a")
        _, names, numbers = read_xyz(tmp_path / "a" / "forecast.xyz")
        assert names == ["species", "pos", *expected, "sigma"]
        np.testing.assert_array_equal(numbers[0, :, 3:5], [[2, 3], [4, 5], [6, 7]])


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_links_are_not_followed_to_where_names_say_nothing(experiment, molecules, tmp_path):
    """Under DVC or git-annex the file itself lies in a cache."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "data/test").mkdir(parents=True)
    shutil.copy(molecules, tmp_path / "cache/8f14e4.npy")
    shutil.copy(molecules.parents[1] / "dataset.json", tmp_path / "data")
    file = tmp_path / "data/test/simulation_00000.npy"
    file.symlink_to(tmp_path / "cache/8f14e4.npy")
    run(experiment, file, tmp_path / "a", "--start-frame", 0)
    times, names, _ = read_xyz(tmp_path / "a" / "forecast.xyz")
    np.testing.assert_allclose(times, [3, 4, 5, 6])
    assert names[:2] == ["species", "resname"]


def test_molecules_are_written_by_their_names(experiment, molecules, tmp_path):
    run(experiment, molecules, tmp_path, "--start-frame", 0)
    for name, further in (("forecast", ["sigma", "error"]), ("truth", [])):
        times, properties, _ = read_xyz(tmp_path / f"{name}.xyz")
        assert properties == ["species", "resname", "pos", *further]
        np.testing.assert_allclose(times, [3, 4, 5, 6])
        assert read_words(tmp_path / f"{name}.xyz", 1) == [NAMES] * 4


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_molecules_are_written_as_pdb_files_of_the_same_atoms(experiment, molecules, tmp_path):
    run(experiment, molecules, tmp_path, "--start-frame", 0)
    atoms, positions = read_pdb(tmp_path / "forecast.pdb")
    true_atoms, true_positions = read_pdb(tmp_path / "truth.pdb")
    forecast, truth = np.load(tmp_path / "forecast.npy"), np.load(molecules)[6:14:2, :, :2]
    assert list(atoms.resnames) == list(true_atoms.resnames) == NAMES
    assert list(atoms.resids) == list(true_atoms.resids) == [1, 2, 3]
    np.testing.assert_allclose(positions[..., :2], forecast, rtol=0, atol=5.1e-4)
    np.testing.assert_allclose(true_positions[..., :2], truth, rtol=0, atol=5.1e-4)
    np.testing.assert_array_equal(positions[..., 2], 0)
    errors = np.linalg.norm(forecast - truth, axis=-1).mean(axis=0)
    np.testing.assert_allclose(atoms.tempfactors, errors, rtol=0, atol=5.1e-3)
    assert atoms.universe.trajectory.remarks == [
        "B-FACTOR: MEAN ERROR OVER ALL MODELS",
        *(f"MODEL {model} TIME {time}" for model, time in enumerate([3, 4, 5, 6], start=1)),
    ]


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_b_factors_are_sigma_where_some_of_the_truth_is_not_known(experiment, molecules, tmp_path):
    run(experiment, molecules, tmp_path, "--start-frame", 30)
    atoms, positions = read_pdb(tmp_path / "forecast.pdb")
    _, true_positions = read_pdb(tmp_path / "truth.pdb")
    assert (len(positions), len(true_positions)) == (4, 2)
    assert atoms.universe.trajectory.remarks[0] == "B-FACTOR: MEAN SIGMA OVER ALL MODELS"
    sigma = read_xyz(tmp_path / "forecast.xyz")[2][..., -1]
    np.testing.assert_allclose(atoms.tempfactors, sigma.mean(axis=0), rtol=0, atol=5.1e-3)


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_pdb_files_are_written_of_other_units_when_asked(experiment, file, tmp_path):
    run(experiment, file, tmp_path / "plain", "--start-frame", 0)
    assert not list((tmp_path / "plain").glob("*.pdb"))
    run(experiment, file, tmp_path / "asked", "--start-frame", 0, "--pdb")
    atoms, positions = read_pdb(tmp_path / "asked" / "forecast.pdb")
    assert list(atoms.resnames) == ["X"] * 3
    forecast = np.load(tmp_path / "asked" / "forecast.npy")
    np.testing.assert_allclose(positions[..., :2], forecast, rtol=0, atol=5.1e-4)


def test_without_mdanalysis_all_but_pdb_files_is_written(
    experiment, molecules, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "MDAnalysis", None)
    run(experiment, molecules, tmp_path / "a", "--start-frame", 0)
    assert "No PDB files" in capsys.readouterr().out
    assert (tmp_path / "a" / "truth.xyz").exists()
    assert not list((tmp_path / "a").glob("*.pdb"))
    with pytest.raises(ModuleNotFoundError, match=r"socialmd\[md\]"):
        run(experiment, molecules, tmp_path / "b", "--start-frame", 0, "--pdb")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def far_away(file):
    """Move the particles to where PDB's columns end; the data set's checksum is not looked at."""
    trajectory = np.load(file)
    trajectory[..., :2] += 20_000
    np.save(file, trajectory)


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
@pytest.mark.parametrize(
    ("features", "move", "message"),
    [
        (["x", "y", "WATER", "OQL"], None, "names: expected one to four .*'WATER'"),
        (["x", "y", "ONC", "OQL"], far_away, "positions: expected -999.999 to 9999.999"),
    ],
)
def test_what_a_pdb_file_cannot_hold_is_refused_only_when_asked_for(
    experiment, molecules, tmp_path, capsys, features, move, message
):
    file = write_molecules(tmp_path / "data", features=features)
    if move:
        move(file)
    output = tmp_path / "output"
    with pytest.raises(ValueError, match=message):
        run(experiment, file, output, "--start-frame", 2, "--pdb")
    assert not output.exists()

    run(experiment, molecules, output, "--start-frame", 0, "--num-samples", 2)
    earlier = contents(output)
    assert len(earlier) == 7
    with pytest.raises(ValueError, match=message):
        run(experiment, file, output, "--start-frame", 2, "--pdb")
    assert contents(output) == earlier

    capsys.readouterr()
    run(experiment, file, output, "--start-frame", 2)
    assert re.search(f"No PDB files: {message}", capsys.readouterr().out)
    later = contents(output)
    assert set(later) == {"forecast.npy", "parameters.npy", "forecast.xyz", "truth.xyz"}
    assert all(later[name] != earlier[name] for name in ("forecast.npy", "forecast.xyz"))


def test_a_split_is_no_place_for_forecasts(experiment, file):
    before = contents(file.parent)
    with pytest.raises(ValueError, match="test: expected a folder outside of the data set"):
        run(experiment, file, file.parent)
    assert contents(file.parent) == before


def test_nothing_is_written_of_a_forecast_that_is_refused(experiment, file, tmp_path):
    output = tmp_path / "output"
    run(experiment, file, output, "--start-frame", 0)
    earlier = contents(output)
    with pytest.raises(ValueError, match="times: expected finite numbers"):
        run(experiment, file, output, "--start-frame", 3, "--frame-spacing", "nan")
    assert contents(output) == earlier


@pytest.mark.parametrize(
    ("files", "first"),
    [
        ({"test/simulation_00000.npy": {"frames": [120, 160]}}, 120),
        ({"train/simulation_00000.npy": {"frames": [120, 160]}}, 0),
        ({"test/simulation_00000.npy": {}}, 0),
        (["test/simulation_00000.npy"], 0),
    ],
)
@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_times_count_from_the_beginning_of_the_simulation(experiment, tmp_path, files, first):
    file = write_molecules(tmp_path / "data", preprocessing={"files": files})
    run(experiment, file, tmp_path / "a", "--start-frame", 0)
    times = (first + np.array([6, 8, 10, 12])) * 0.5
    np.testing.assert_allclose(read_xyz(tmp_path / "a" / "forecast.xyz")[0], times)
    np.testing.assert_allclose(read_xyz(tmp_path / "a" / "truth.xyz")[0], times)


@pytest.mark.parametrize(
    ("one_hot", "law"),
    [
        (((1, 1), (1, 0), (0, 1)), None),
        (((0, 0), (1, 0), (0, 1)), None),
        (((0.5, 0.5), (1, 0), (0, 1)), None),
        (((2, -1), (1, 0), (0, 1)), None),
        (((1, 0), (1, 0), (1, 0)), {"coulomb_constant": 0.0}),  # masses of one, charges of zero
        (((1, 0), (1, 0), (1, 0)), None),  # likewise, and nobody knows the law
    ],
)
def test_features_that_are_no_names_stay_columns(experiment, tmp_path, one_hot, law):
    file = write_molecules(
        tmp_path / "data", one_hot=one_hot, law=law, features=["x", "y", "m", "pos"]
    )
    run(experiment, file, tmp_path / "a")
    _, names, numbers = read_xyz(tmp_path / "a" / "forecast.xyz")
    assert names == ["species", "pos", "m", "pos_", "sigma"]
    np.testing.assert_array_equal(numbers[:, :, 3:5], [one_hot] * 4)
    assert read_words(tmp_path / "a" / "forecast.xyz", 0) == [["X"] * 3] * 4


def test_tied_molecules_keep_their_names(rng):
    """Anchors are no names, and no features that viewers could use."""
    blocks = (
        FeatureBlock(name="position", size=3, kind="coordinate", predicted=True),
        FeatureBlock(name="species", size=2, static=True),
        FeatureBlock(name="anchor", size=3, kind="vector", static=True),
    )
    features = ("x", "y", "z", "ONC", "OQL", "anchor_x", "anchor_y", "anchor_z")
    layout = FeatureLayout(features=features, blocks=blocks)
    names = np.eye(2)[[1, 0, 1]]
    frame = np.concatenate([rng.normal(size=(3, 3)), names, rng.normal(size=(3, 3))], axis=1)
    found = predict._names_and_features(None, layout, frame, are_molecules=True)
    assert found == (["OQL", "ONC", "OQL"], {})


@pytest.mark.filterwarnings("ignore:Unknown element X:UserWarning")
def test_molecules_in_space_are_forecast(experiment, tmp_path, monkeypatch, capsys, load_once):
    file = write_molecules(tmp_path / "data", spatial_dims=3)
    model = SequenceLSTM(4, spatial_dims=3, mlp_units=[8], lstm_units=[8])
    model.build((None, 3, 3, 5))
    model.experiment = load_once(experiment.model).experiment
    monkeypatch.setattr(predict, "load", lambda path: model)
    output = tmp_path / "a"
    run(experiment, file, output, "--start-frame", 0, "--num-samples", 2)

    trajectory = np.load(file)
    expected, _ = model.rollout(trajectory[:6:2][None])
    forecast, truth = np.load(output / "forecast.npy"), trajectory[6:14:2, :, :3]
    np.testing.assert_allclose(forecast, expected[0], rtol=1e-5)
    assert np.load(output / "samples.npy").shape == (2, 4, 3, 3)
    _, names, numbers = read_xyz(output / "forecast.xyz")
    assert names == ["species", "resname", "pos", "sigma", "error"]
    np.testing.assert_allclose(numbers[..., :3], forecast, rtol=1e-6)
    errors = np.sqrt(((forecast - truth) ** 2).sum(axis=-1))
    np.testing.assert_allclose(numbers[..., 4], errors, rtol=1e-6)
    np.testing.assert_allclose(read_xyz(output / "truth.xyz")[2], truth, rtol=1e-8)
    for name, positions in (("forecast", forecast), ("truth", truth)):
        assert read_words(output / f"{name}.xyz", 1) == [NAMES] * 4
        atoms, found = read_pdb(output / f"{name}.pdb")
        assert list(atoms.resnames) == NAMES
        np.testing.assert_allclose(found, positions, rtol=0, atol=5.1e-4)
    rows = {line[:17].strip(): line.split() for line in capsys.readouterr().out.splitlines()}
    assert rows["model"][3:5] == [f"{errors.mean():.4f}", f"{errors[-1].mean():.4f}"]  # ADE, FDE
    assert rows["constant velocity"][4] == "0.0000"  # ADE


def test_another_number_of_coordinates_is_refused(experiment, tmp_path):
    file = write_molecules(tmp_path / "data", spatial_dims=3)
    with pytest.raises(ValueError, match=r"simulation_00000\.npy: expected .* in 2 dim.*, found 3"):
        run(experiment, file, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_many_futures_are_those_of_the_model_s_rollout(experiment, file, tmp_path):
    arguments = ("--start-frame", 0, "--num-samples", 5, "--seed", 3, "--num-steps", 2)
    run(experiment, file, tmp_path, *arguments)
    samples = np.load(tmp_path / "samples.npy")
    model = load(experiment.model)
    past = np.load(file)[:6:2][None]
    expected, _ = model.rollout(past, 2, "sample", seed=3, num_samples=5)
    np.testing.assert_allclose(samples, expected[:, 0], rtol=1e-5)
    assert samples.shape == (5, 2, 3, 2)


def test_futures_are_recalibrated_when_asked_and_possible(
    experiment, file, tmp_path, load_once, capsys
):
    model = load_once(experiment.model)
    run(experiment, file, tmp_path / "none", "--num-samples", 4, "--recalibrated")
    assert "not recalibrated: the model has no factors" in capsys.readouterr().out
    model.spread_factors = np.array([2.0, 1.0, 1.0, 3.0], "float32")
    try:
        run(experiment, file, tmp_path / "asked", "--num-samples", 4, "--recalibrated")
        run(experiment, file, tmp_path / "one", "--num-samples", 1, "--recalibrated")
    finally:
        model.spread_factors = None
    assert "one alone has no mean" in capsys.readouterr().out
    drawn, moved = (np.load(tmp_path / name / "samples.npy") for name in ("none", "asked"))
    ratio = (moved.std(0) / drawn.std(0)).mean(axis=(1, 2))
    np.testing.assert_allclose(ratio, [2.0, 1.0, 1.0, 3.0], rtol=1e-4)


def test_one_future_cannot_be_recalibrated(experiment, file, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(experiment, file, tmp_path / "a", "--feedback", "sample", "--recalibrated")
    assert "--recalibrated: not with --feedback sample" in capsys.readouterr().err


def test_sigma_is_recalibrated_when_asked(experiment, file, tmp_path, load_once):
    model = load_once(experiment.model)
    model.sigma_factors.assign([2.0, 1.0, 1.0, 3.0])
    try:
        for index, options in enumerate(([], ["--recalibrated"])):
            run(experiment, file, tmp_path / str(index), *options)
    finally:
        model.sigma_factors.assign(np.ones(4))
    plain, asked = (np.load(tmp_path / name / "parameters.npy") for name in "01")
    ratio = asked[..., 2:4] / plain[..., 2:4]
    np.testing.assert_allclose(ratio.mean(axis=(1, 2)), [2.0, 1.0, 1.0, 3.0], rtol=1e-5)


def test_samples_follow_the_seed(experiment, file, tmp_path):
    forecasts = []
    for index, seed in enumerate((1, 1, 2)):
        run(experiment, file, tmp_path / str(index), "--feedback", "sample", "--seed", seed)
        forecasts.append(np.load(tmp_path / str(index) / "forecast.npy"))
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    assert not np.allclose(forecasts[0], forecasts[2])


def test_file_outside_of_a_data_set_has_frames_one_apart(experiment, file, tmp_path):
    shutil.copy(file, tmp_path / "mine.npy")
    run(experiment, tmp_path / "mine.npy", tmp_path / "a", "--num-steps", 2)
    times, names, _ = read_xyz(tmp_path / "a" / "forecast.xyz")
    assert names == ["species", "pos", "feature_2", "feature_3", "sigma"]
    np.testing.assert_allclose(times, [41, 43])
    run(experiment, tmp_path / "mine.npy", tmp_path / "b", "--frame-spacing", 0.1)
    np.testing.assert_allclose(read_xyz(tmp_path / "b" / "forecast.xyz")[0][:2], [4.1, 4.3])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((40, 3)), r"expected shape \[frames, N, 4\], F .*, found \(40, 3\)"),
        (np.zeros((40, 3, 3)), r"expected shape \[frames, N, 4\], .* found \(40, 3, 3\)"),
        (np.zeros((4, 3, 4)), "a past of 3 frames, 2 apart, needs 5 frames, found 4"),
        (np.full((40, 3, 4), np.nan), "expected finite float32 numbers"),
        (np.full((40, 3, 4), 1e39), "expected finite float32 numbers"),
        (np.full((40, 3, 4), "text"), "expected float32 or float64 numbers, found <U4"),
        (np.ones((40, 3, 4), int), "expected float32 or float64 numbers, found int64"),
        (np.full((40, 3, 4), None), "not a .npy file of numbers"),
    ],
)
def test_wrong_files_are_refused(experiment, tmp_path, array, message):
    np.save(tmp_path / "mine.npy", array)
    with pytest.raises(ValueError, match=rf"mine\.npy: {message}"):
        run(experiment, tmp_path / "mine.npy", tmp_path / "output")
    assert not (tmp_path / "output").exists()


def test_a_file_that_is_no_array_is_refused(experiment, tmp_path):
    (tmp_path / "mine.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"mine\.npy: not a .npy file of numbers"):
        run(experiment, tmp_path / "mine.npy", tmp_path / "output")
    np.savez(tmp_path / "mine.npz", np.zeros((40, 3, 4)))
    with pytest.raises(ValueError, match=r"mine\.npz: not a .npy file of numbers"):
        run(experiment, tmp_path / "mine.npz", tmp_path / "output")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run(experiment, tmp_path / "nowhere.npy", tmp_path / "output")


@pytest.mark.parametrize("start", [-1, 36, 1000])
def test_a_past_that_is_not_there_is_refused(experiment, file, tmp_path, start):
    with pytest.raises(ValueError, match=rf"start_frame: expected 0 to 35 .*found {start}"):
        run(experiment, file, tmp_path, "--start-frame", start)


def test_impossible_numbers_of_steps_are_refused(experiment, file, tmp_path):
    with pytest.raises(ValueError, match=r"num_steps: expected a whole number .*found 0"):
        run(experiment, file, tmp_path, "--num-steps", 0)
