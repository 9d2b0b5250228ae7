import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from socialmd.commands import evaluate
from socialmd.data import describe_dataset, read_windows
from socialmd.evaluation.baselines import BASELINES as REGISTERED
from socialmd.models import load
from socialmd.reporting import (
    FigureFolder,
    ForecastEvaluation,
    Measure,
    compare_windows,
    forecast_windows,
)
from socialmd.reporting.measure import MEASURES
from socialmd.reporting.measures.sampled_futures import SampledFutures
from tests.browser import lay_out

LOAD_MODELS = sys.modules["socialmd.reporting.load_models"]  # behind the function of that name

# 40 frames, every second kept from frame 0 and from frame 1: windows of 7 start at 0, 3, 6, 9, 12.
WINDOWS_PER_SIMULATION = 10
BASELINES = ["constant position", "constant velocity", "linear autoregression", "known law"]


def run(*arguments):
    evaluate.main([str(argument) for argument in arguments])


def copy_model(experiment, folder):
    """The model under the name of that folder."""
    folder.mkdir(exist_ok=True)
    for path in experiment.model.glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module", autouse=True)
def _one_model(load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LOAD_MODELS, "load", load_once)
        yield


@pytest.fixture(scope="module")
def output(experiment, tmp_path_factory):
    """Two models of different names, all windows."""
    output = tmp_path_factory.mktemp("evaluation")
    other = copy_model(experiment, tmp_path_factory.mktemp("models") / "other")
    samples = ("--num-samples", 3, "--sampled-windows", 3)
    run(experiment.model, other, experiment.data, output, *samples)
    return output


@pytest.fixture(scope="module")
def result(output):
    return json.loads((output / "metrics.json").read_text())


@pytest.fixture(scope="module")
def loaded(experiment, load_once):
    return load_once(experiment.model)


@pytest.fixture(scope="module")
def forecasts(experiment, loaded):
    """Of every window."""
    return forecast_windows({"tiny": loaded}, loaded.experiment.data, experiment.data)


@pytest.fixture
def unreported(monkeypatch):
    """Pictures take most of the time; those of `output` are enough."""
    for measure in MEASURES.values():
        monkeypatch.setattr(type(measure), "sections", lambda *_: ())


def test_every_forecast_is_measured_at_every_step(result):
    assert list(result["forecasts"]) == ["tiny", "other", *BASELINES]
    for metrics in result["forecasts"].values():
        assert len(metrics["mae_per_step"]) == len(metrics["median_error_per_step"]) == 4
        assert len(metrics["mae_per_simulation"]) == 2
    assert len(result["forecasts"]["tiny"]["nll_per_step"]) == 4
    assert result["forecasts"]["other"] == result["forecasts"]["tiny"]


def test_two_simulations_are_too_few_for_a_verdict(output, result):
    page = (output / "report.html").read_text("utf-8")
    assert result["verdict"].keys() == {"tiny", "other"}
    for name, verdict in result["verdict"].items():
        assert verdict["overall"]["outcome"] == "too few simulations"
        assert verdict["overall"]["error"] == pytest.approx(result["forecasts"][name]["mae"])
        assert [each["rival"] in BASELINES[:3] for each in verdict["by_step"]] == [True] * 4
        sentence = f"2 simulations are too few to tell whether {name} beats"
        assert verdict["sentence"].startswith(sentence)
        assert page.index("<h2") < page.index(sentence) < page.index("<table")


def test_free_motion_is_forecast_exactly_by_all_that_should(result):
    for name in ("constant velocity", "linear autoregression", "known law"):
        assert result["forecasts"][name]["mae"] < 1e-5, name  # samples are float32
        assert result["forecasts"][name]["nll"] is None
        if name != "linear autoregression":
            assert max(result["conservation"][name]["energy_drift"]) < 1e-4
    assert max(result["conservation"]["truth"]["momentum_drift"]) < 1e-4
    assert result["forecasts"]["constant position"]["mae"] > 0.01
    assert result["forecasts"]["tiny"]["mae"] > 0.01


def test_file_says_what_was_measured(experiment, result):
    assert result["models"]["tiny"] == {
        "trainable_parameters": load(experiment.model).num_trainable_parameters
    }
    assert result["remarks"] == []
    data = result["data"]
    assert data["name"] == "data"
    assert data["split"] == "test"
    assert data["windows"] == 2 * WINDOWS_PER_SIMULATION
    assert data["simulations"] == 2
    assert data["step_spacing"] == 0.5
    assert data["features"] == ["x", "y", "mass", "charge"]
    assert str(experiment.data.parent) not in json.dumps(result)


def test_model_is_measured_as_keras_would(experiment, loaded, result):
    model, config = loaded, loaded.experiment
    windows = read_windows(experiment.data, "test", config.data)
    parameters = model(windows.inputs)
    mean = np.asarray(model.distribution(parameters).mean())
    log_probabilities = np.asarray(model.distribution(parameters).log_prob(windows.truth))
    ours = result["forecasts"]["tiny"]
    assert ours["mae"] == pytest.approx(np.abs(mean - windows.truth).mean(), rel=1e-4)
    assert ours["nll"] == pytest.approx(-log_probabilities.mean(), rel=1e-4)
    calibration = result["calibration"]["tiny"]
    assert calibration["as trained"]["nll"] == pytest.approx(ours["nll"], rel=1e-4)
    sigma = np.sqrt(np.asarray(model.distribution(parameters).variance()).mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(calibration["as trained"]["sharpness_per_step"], sigma, rtol=1e-4)


def test_recalibration_multiplies_the_stated_sigma(loaded, forecasts):
    model = loaded
    factors = [2.0, 1.0, 0.5, 3.0]
    model.sigma_factors.assign(factors)
    try:
        kinds = ForecastEvaluation(forecasts, 0).numbers["calibration"]["tiny"]
    finally:
        model.sigma_factors.assign(np.ones(4))
    ratio = np.divide(*(kinds[k].sharpness_per_step for k in ("recalibrated", "as trained")))
    np.testing.assert_allclose(ratio, factors, rtol=1e-4)


def test_samples_are_measured(result):
    for name in ("tiny", "other"):
        samples = result["samples"][name]
        assert samples["num_samples"] == 3
        assert samples["best_ade"] <= samples["ade"]
        assert len(samples["energy_score_per_step"]) == 4
        assert len(result["calibration"][name]["sampled"]["coverage"][0]) == 4
    assert result["num_sampled_windows"] == 3


def test_recalibrated_futures_are_measured_beside_those_as_drawn(loaded, forecasts, tmp_path):
    model = loaded
    model.spread_factors = np.array([3.0, 1.0, 1.0, 2.0], "float32")
    try:
        evaluation = ForecastEvaluation(forecasts, num_samples=3)
        (section,) = SampledFutures().sections(evaluation, FigureFolder(tmp_path))
    finally:
        model.spread_factors = None
    samples = evaluation.numbers["samples"]
    drawn, moved = (samples[name].spread_skill_per_step for name in ("tiny", "tiny, recalibrated"))
    np.testing.assert_allclose(np.divide(moved, drawn), [3.0, 1.0, 1.0, 2.0], rtol=1e-4)
    kinds = evaluation.numbers["calibration"]["tiny"]
    assert kinds["sampled, recalibrated"].crps != kinds["sampled"].crps
    assert [row[0] for row in section.tables[0].rows] == ["tiny", "tiny, recalibrated"]
    assert section.pictures[0].image == tmp_path / "futures.png"
    assert section.pictures[0].image.is_file()


def test_every_figure_is_there_as_png_and_pdf(output):
    assert {path.name for path in output.iterdir()} == {"metrics.json", "report.html", "figures"}
    names = {path.stem for path in (output / "figures").glob("*.png")}
    expected = {"errors", "likelihood", "calibration", "spread", "forecast", "conservation"}
    assert names >= expected | {"long_conservation", "nearest_distances", "gallery_median"}
    assert names >= {"configurations", "dependence"}
    assert {path.stem for path in (output / "figures").glob("*.pdf")} == names
    for name in names:
        with Image.open(output / "figures" / f"{name}.png") as image:
            assert min(image.size) > 300


def test_the_report_names_every_forecast_and_links_to_nothing(output):
    page = (output / "report.html").read_text("utf-8")
    for name in ("tiny", "other", *BASELINES):
        assert name in page
    assert page.count("<img") == len(list((output / "figures").glob("*.png"))) + 1  # a GIF
    text = re.sub(r"data:image/\S+?;base64,[\w+/=]+", "", page)  # where any word may occur
    assert len(text) < 0.2 * len(page)
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_the_report_without_errors(output, width):
    layout = lay_out((output / "report.html").read_text("utf-8"), width)
    assert layout.console == []
    assert layout.scroll_width <= layout.width
    assert layout.image_widths
    assert min(layout.image_widths) > 0


def test_windows_are_those_of_the_files(experiment, loaded):
    config = loaded.experiment
    windows = read_windows(experiment.data, "test", config.data)
    files = sorted((experiment.data / "test").iterdir())
    for number, simulation in ((0, 0), (7, 0), (12, 1)):
        first = (number % WINDOWS_PER_SIMULATION) % 5 * 3 * 2
        phase = (number % WINDOWS_PER_SIMULATION) // 5
        frames = np.load(files[simulation])[first + phase :: 2][:7].astype(np.float32)
        np.testing.assert_array_equal(windows.inputs[number], frames[:3])
        np.testing.assert_array_equal(windows.truth[number], frames[3:, :, :2])
        assert windows.simulations[number] == simulation


def test_fewer_windows_are_spread_over_the_split(experiment, loaded):
    config = loaded.experiment
    every = read_windows(experiment.data, "test", config.data)
    some = read_windows(experiment.data, "test", config.data, 3)
    np.testing.assert_array_equal(some.inputs, every.inputs[[0, 10, 19]])
    assert some.simulations.tolist() == [0, 1, 1]
    more = read_windows(experiment.data, "test", config.data, 1000)
    np.testing.assert_array_equal(more.inputs, every.inputs)


@pytest.mark.usefixtures("unreported")
def test_what_is_not_possible_is_left_out_and_said(experiment, tmp_path, capsys):
    (tmp_path / "test").mkdir()
    for path in (experiment.data / "test").iterdir():
        for copy in "abc":  # six simulations: enough for a verdict
            (tmp_path / "test" / f"{path.stem}{copy}.npy").write_bytes(path.read_bytes())
    describe_dataset(tmp_path, features=["x", "y", "height", "charge"], frame_spacing=0.25)
    output = tmp_path / "output"
    arguments = ("--max-windows", 6, "--num-samples", 0, "--num-steps", 3)
    run(experiment.model / "model.keras", tmp_path, output, *arguments)
    result = json.loads((output / "metrics.json").read_text())
    assert len(result["forecasts"]["tiny"]["mae_per_step"]) == result["data"]["target_steps"] == 3
    assert list(result["forecasts"]) == ["tiny", "constant position", "constant velocity"]
    assert set(result["left_out"]) >= {"linear autoregression", "known law", "conservation"}
    assert result["samples"] == result["conservation"] == {}
    printed = capsys.readouterr().out
    assert "6 windows of" in printed
    assert "known law: left out, because the data set names no law of motion." in printed
    assert "tiny does not beat constant velocity, the best baseline: do not use it. MAE" in printed
    assert result["verdict"]["tiny"]["sentence"] in printed
    assert result["verdict"]["tiny"]["overall"]["outcome"] == "higher"


def test_models_of_the_same_name_are_told_apart_by_the_folder_above(experiment, tmp_path):
    (tmp_path / "wide").mkdir()
    (tmp_path / "narrow").mkdir()
    folders = [copy_model(experiment, tmp_path / name / "seed_0") for name in ("wide", "narrow")]
    assert list(evaluate.load_models(folders)) == ["wide/seed_0", "narrow/seed_0"]


def test_models_need_names_of_their_own(experiment, tmp_path):
    with pytest.raises(ValueError, match="models of different names, found 'experiment0/tiny'"):
        run(experiment.model, experiment.model / "model.keras", experiment.data, tmp_path)
    with pytest.raises(ValueError, match="expected names that are not taken, found 'truth'"):
        run(copy_model(experiment, tmp_path / "truth"), experiment.data, tmp_path)


def test_data_with_other_features_are_refused(experiment, tmp_path):
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", np.zeros((40, 3, 3)))
    describe_dataset(tmp_path, features=["x", "y", "radius"], frame_spacing=1.0)
    with pytest.raises(ValueError, match="the 4 features of tiny, found x, y, radius"):
        run(experiment.model, tmp_path, tmp_path / "report")


@pytest.mark.parametrize("count", ["0", "-1", "some"])
def test_impossible_numbers_of_windows_are_refused(experiment, count, capsys):
    with pytest.raises(SystemExit):
        run(experiment.model, experiment.data, "report", "--max-windows", count)
    assert "argument --max-windows: " in capsys.readouterr().err


def test_one_sample_is_refused(experiment, forecasts, capsys):
    with pytest.raises(SystemExit):
        run(experiment.model, experiment.data, "report", "--num-samples", 1)
    assert "argument --num-samples: " in capsys.readouterr().err
    with pytest.raises(ValueError, match="num_samples: expected 0, or at least 2, found 1"):
        ForecastEvaluation(forecasts, num_samples=1)


def test_models_of_other_windows_are_remarked_on(loaded):
    config = loaded.experiment
    data = config.data.model_copy(update={"subsample": 1})
    finer = SimpleNamespace(experiment=config.model_copy(update={"data": data}))
    remarks = compare_windows({"tiny": loaded, "same": loaded, "finer": finer})
    assert remarks == ["finer was trained with subsample = 1, not 2."]


def test_what_fails_does_not_take_the_rest_with_it(forecasts, loaded, monkeypatch):
    """A sampled or a long forecast may become infinite, of the very models one wants to see."""

    def become_infinite(*_, **__):
        raise FloatingPointError("infinite within 40 steps")

    monkeypatch.setattr(loaded, "rollout", become_infinite)
    evaluation = ForecastEvaluation(forecasts, num_samples=2)
    assert evaluation.left_out["sampled futures"] == "infinite within 40 steps"
    assert evaluation.left_out["long forecasts"] == "infinite within 40 steps"
    assert evaluation.numbers["conservation"]
    assert evaluation.numbers["long_positions"] == {}
    assert evaluation.numbers["forecasts"]["tiny"].mae > 0


@pytest.mark.parametrize("key", ["models", "left_out"])
def test_a_measure_does_not_overwrite_what_is_no_measures(forecasts, monkeypatch, key):
    compute = staticmethod(lambda evaluation: {"mine": 1.0, key: 2.0})
    mine = type("Mine", (Measure,), {"name": "mine", "compute": compute})
    monkeypatch.setitem(MEASURES, "mine", mine())
    evaluation = ForecastEvaluation(forecasts, num_samples=0)
    reason = f"expected keys of a measure in metrics.json, found ['{key}']"
    assert evaluation.left_out["mine"] == reason
    assert "mine" not in evaluation.numbers
    assert evaluation.numbers["forecasts"]["tiny"].mae > 0


def test_one_model_without_futures_leaves_those_of_others(experiment, loaded, monkeypatch):
    other = load(experiment.model)
    models = {"tiny": loaded, "other": other}
    forecasts = forecast_windows(models, loaded.experiment.data, experiment.data)
    rollout = type(other).rollout

    def refuse(inputs, steps=None, feedback=None, *arguments, **options):
        if feedback == "sample":
            raise ValueError("Exception encountered:\n\nfeedback: expected mean, found sample")
        return rollout(other, inputs, steps, feedback, *arguments, **options)

    monkeypatch.setattr(other, "rollout", refuse)
    evaluation = ForecastEvaluation(forecasts, num_samples=2, max_sampled=2)
    assert list(evaluation.numbers["samples"]) == ["tiny"]
    reason = "feedback: expected mean, found sample"
    assert evaluation.left_out["sampled futures of other"] == reason


OWN = """
from socialmd.evaluation import Baseline, register_baseline
from socialmd.plots import new_figure
from socialmd.reporting import Measure, Picture, Section, Table, fill, register_measure

@register_baseline
class Origin(Baseline):
    name = "everything at the origin"

    def forecast(self, frames, num_steps):
        return 0 * frames[:, -1:, :, :2].repeat(num_steps, axis=1)

@register_measure
class Reach(Measure):
    name = "reach"
    units = {"reach": "units of length"}

    def compute(self, evaluation):
        positions = evaluation.forecasts.positions
        return {"reach": {name: float(abs(x).max()) for name, x in positions.items()}}

    def sentences(self, evaluation):
        reach = evaluation.numbers["reach"]["everything at the origin"]
        return [fill("Its farthest is {{ reach }}.", reach=reach)]

    def about(self, evaluation, model):
        return f"{model} reaches somewhere."

    def sections(self, evaluation, figures):
        figure, ax = new_figure(4, 3)
        ax.bar(*zip(*evaluation.numbers["reach"].items()))
        ax.tick_params(axis="x", labelrotation=90)
        picture = Picture(figures.save(figure, "reach"), "Bars.", "Reach of forecasts")
        rows = [list(row) for row in evaluation.numbers["reach"].items()]
        return [Section("How far it goes", tables=[Table("Reach.", ["forecast", "x"], rows)],
                        pictures=[picture])]
"""


@pytest.mark.usefixtures("coarse_figures")
def test_measures_and_baselines_of_ones_own_take_part(experiment, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    (tmp_path / "own_measures.py").write_text(OWN)
    arguments = ("--max-windows", 4, "--num-samples", 0, "--import", "own_measures")
    try:
        run(experiment.model, experiment.data, tmp_path / "out", *arguments)
    finally:
        MEASURES.pop("reach", None)
        REGISTERED.pop("everything at the origin", None)
        sys.modules.pop("own_measures", None)
    result = json.loads((tmp_path / "out" / "metrics.json").read_text())
    names = ["tiny", *BASELINES[:3], "everything at the origin", BASELINES[3]]
    assert list(result["forecasts"]) == list(result["reach"]) == names
    assert result["reach"]["everything at the origin"] == 0
    assert result["units"]["reach"] == "units of length"
    printed = capsys.readouterr().out
    assert "\neverything at the origin  " in printed
    assert "\nIts farthest is 0.0.\n" in printed
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for text in ("How far it goes", "Reach.", "Bars.", "tiny reaches somewhere."):
        assert text in page
    assert (tmp_path / "out" / "figures" / "reach.png").is_file()


def test_a_module_that_is_not_there_is_named(experiment, tmp_path):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        run(experiment.model, experiment.data, tmp_path, "--import", "no_such_module")


def test_whether_forecasts_depend_on_their_input(output, result):
    assert list(result["dependence"]) == ["tiny", "other", *BASELINES]
    exact = result["dependence"]["constant velocity"]
    assert exact["variance_ratio_per_step"] == pytest.approx([1.0] * 4, abs=1e-4)
    page = (output / "report.html").read_text("utf-8")
    assert "Does the forecast depend on its input?" in page
