import shutil

import numpy as np
import pytest

from pipelines import predict
from socialmd.models import load_model


@pytest.fixture(scope="module", autouse=True)
def _one_model(load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "load_model", load_once)
        yield


@pytest.fixture(scope="module")
def file(experiment):
    return sorted((experiment.data / "test").iterdir())[0]


def run(experiment, file, output, *options):
    predict.main([str(experiment.model), str(file), "--output", str(output), *map(str, options)])


def read_xyz(path):
    """Times [frames], property names, and the numbers of each line [frames, N, columns]."""
    lines = path.read_text().splitlines()
    num_particles = int(lines[0])
    blocks = [lines[i : i + num_particles + 2] for i in range(0, len(lines), num_particles + 2)]
    comments = [dict(part.split("=") for part in block[1].split(" ", 2)[:2]) for block in blocks]
    names = comments[0]["Properties"].split(":")[::3]
    numbers = [[line.split()[1:] for line in block[2:]] for block in blocks]
    assert all(line.split()[0] == "X" for block in blocks for line in block[2:])
    return np.array([float(c["Time"]) for c in comments]), names, np.array(numbers, float)


def test_latest_frames_are_the_past_by_default(experiment, file, tmp_path):
    run(experiment, file, tmp_path)
    trajectory = np.load(file)
    model, _ = load_model(experiment.model)
    positions, parameters = model.rollout(trajectory[[35, 37, 39]][None], 4)
    np.testing.assert_allclose(np.load(tmp_path / "forecast.npy"), positions[0], atol=1e-6)
    np.testing.assert_allclose(np.load(tmp_path / "parameters.npy"), parameters[0], atol=1e-6)
    assert not (tmp_path / "truth.xyz").exists()


def test_xyz_holds_forecast_features_and_width(experiment, file, tmp_path):
    run(experiment, file, tmp_path)
    times, names, numbers = read_xyz(tmp_path / "forecast.xyz")
    assert names == ["species", "pos", "mass", "charge", "sigma"]
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
    assert forecast.shape == (6, 3, 6)
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
    model, _ = load_model(experiment.model)
    parameters = np.load(tmp_path / "parameters.npy")[:3]
    log_probability = model.distribution(parameters).log_prob(np.float32(numbers[..., :2]))
    assert float(rows["model"][-1]) == pytest.approx(-np.mean(log_probability), rel=1e-3, abs=1e-4)


def test_a_sample_has_no_likelihood(experiment, file, tmp_path, capsys):
    run(experiment, file, tmp_path, "--start-frame", 0, "--feedback", "sample")
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("model"))
    assert row.split()[-1] == "-"


def test_nothing_of_an_earlier_forecast_stays(experiment, file, tmp_path):
    run(experiment, file, tmp_path, "--start-frame", 0, "--num-samples", 2)
    assert (tmp_path / "truth.xyz").exists()
    assert (tmp_path / "samples.npy").exists()
    run(experiment, file, tmp_path)
    assert not (tmp_path / "truth.xyz").exists()
    assert not (tmp_path / "samples.npy").exists()


def test_many_futures_are_those_of_the_model_s_rollout(experiment, file, tmp_path):
    arguments = ("--start-frame", 0, "--num-samples", 5, "--seed", 3, "--num-steps", 2)
    run(experiment, file, tmp_path, *arguments)
    samples = np.load(tmp_path / "samples.npy")
    model, _ = load_model(experiment.model)
    past = np.load(file)[:6:2][None]
    expected, _ = model.rollout(past, 2, "sample", seed=3, num_samples=5)
    np.testing.assert_allclose(samples, expected[:, 0], rtol=1e-5)
    assert samples.shape == (5, 2, 3, 2)


def test_sigma_is_recalibrated_when_asked(experiment, file, tmp_path, load_once):
    model, _ = load_once(experiment.model)
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
        (np.zeros((40, 3)), r"expected shape \[frames, N, 4\], found \(40, 3\)"),
        (np.zeros((40, 3, 3)), r"expected shape \[frames, N, 4\], found \(40, 3, 3\)"),
        (
            np.zeros((4, 3, 4)),
            "a past of 3 frames, 2 apart, needs 5 frames, found 4",
        ),
        (np.full((40, 3, 4), np.nan), "expected finite float32 numbers"),
        (np.full((40, 3, 4), 1e39), "expected finite float32 numbers"),
        (np.full((40, 3, 4), "text"), "expected a .npy file of real numbers"),
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
    with pytest.raises(ValueError, match=r"mine\.npz: expected a .npy file of real numbers"):
        run(experiment, tmp_path / "mine.npz", tmp_path / "output")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run(experiment, tmp_path / "nowhere.npy", tmp_path / "output")


@pytest.mark.parametrize("start", [-1, 36, 1000])
def test_a_past_that_is_not_there_is_refused(experiment, file, tmp_path, start):
    with pytest.raises(ValueError, match=rf"start_frame: expected 0 to 35 .*found {start}"):
        run(experiment, file, tmp_path, "--start-frame", start)


def test_impossible_numbers_of_steps_are_refused(experiment, file, tmp_path):
    with pytest.raises(ValueError, match=r"num_steps: expected at least 1, .*found 0"):
        run(experiment, file, tmp_path, "--num-steps", 0)
