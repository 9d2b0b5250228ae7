"""Conservation filters on the command line: beside the unfiltered forecast, or instead of it."""

import json
import re
import sys

import numpy as np
import pytest

from socialmd.commands import evaluate, predict
from socialmd.reporting.measure import MEASURES

LOAD_MODELS = sys.modules["socialmd.reporting.load_models"]  # behind the function of that name
FILTERED = ["tiny", "tiny, momentum", "tiny, momentum+energy"]


@pytest.fixture(scope="module", autouse=True)
def _one_model(load_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LOAD_MODELS, "load", load_once)
        patch.setattr(predict, "load", load_once)
        yield


@pytest.fixture(scope="module")
def output(experiment, tmp_path_factory):
    """What was written, and below `"printed"` what was printed."""
    output = tmp_path_factory.mktemp("evaluation")
    options = ("--filter", "momentum", "--filter", "momentum+energy", "--num-samples", "2")
    with pytest.MonkeyPatch.context() as patch:
        for name, measure in MEASURES.items():  # other pictures are drawn elsewhere
            if name != "conservation filters":
                patch.setattr(type(measure), "sections", lambda *_: ())
        printed = []
        patch.setattr("builtins.print", lambda *words, **_: printed.extend(map(str, words)))
        words = map(str, (experiment.model, experiment.data, output, *options))
        evaluate.main(list(words))
    (output / "printed").write_text("\n".join(printed), "utf-8")
    return output


@pytest.fixture(scope="module")
def result(output):
    return json.loads((output / "metrics.json").read_text())


def test_filtered_forecasts_stand_beside_the_unfiltered_one_everywhere(result):
    assert list(result["forecasts"])[:3] == FILTERED
    for key in ("calibration", "conservation", "long_conservation", "dependence", "verdict"):
        assert result[key].keys() >= set(FILTERED), key
    assert result["samples"].keys() == set(FILTERED)
    assert result["models"].keys() == {"tiny"}
    assert result["filters"] == {
        "tiny, momentum": {"model": "tiny", "filters": ["momentum"]},
        "tiny, momentum+energy": {"model": "tiny", "filters": ["momentum", "energy"]},
    }


def test_they_conserve_what_they_say(result):
    drift = {name: max(result["conservation"][name]["momentum_drift"]) for name in FILTERED}
    assert drift["tiny"] > 1e-2
    assert max(drift[name] for name in FILTERED[1:]) < 1e-4


def test_cost_is_printed_and_reported_beside_what_is_conserved(output, result):
    printed = (output / "printed").read_text("utf-8")
    table = printed[printed.index("filters  ") :].split("\n\n")[0].splitlines()
    header, *rows = (re.split(r"  +", line.strip()) for line in table)
    wanted = ["MAE", "median", "ADE", "FDE", "NLL", "in 50 %", "in 80 %", "in 95 %"]
    assert header == ["filters", *wanted, "momentum", "energy"]
    assert [row[0] for row in rows] == FILTERED
    for name, *cells in rows:
        inside = result["calibration"][name]["as trained"]["overall_coverage"]
        conserved = result["conservation"][name]
        expected = [result["forecasts"][name]["mae"], inside[0], conserved["energy_drift"][-2]]
        found = [float(cells[number]) for number in (0, 5, -1)]
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
    page = (output / "report.html").read_text("utf-8")
    assert "Models without and with conservation filters" in page
    assert page.count("<h1>tiny</h1>") == 1
    assert page.count("Configuration of tiny") == 1


def test_without_filters_there_is_no_table(experiment, tmp_path, capsys, monkeypatch):
    for measure in MEASURES.values():
        monkeypatch.setattr(type(measure), "sections", lambda *_: ())
    evaluate.main([*map(str, (experiment.model, experiment.data, tmp_path)), "--num-samples", "0"])
    assert "filters  " not in capsys.readouterr().out
    assert json.loads((tmp_path / "metrics.json").read_text())["filters"] == {}


def test_unknown_filters_are_refused(experiment, tmp_path):
    places = [*map(str, (experiment.model, experiment.data, tmp_path))]
    with pytest.raises(ValueError, match=r"filters: expected one of .*found 'spin'"):
        evaluate.main([*places, "--filter", "momentum+spin"])
    assert not list(tmp_path.iterdir())


def test_prediction_is_filtered(experiment, tmp_path):
    file = sorted((experiment.data / "test").iterdir())[0]
    run = [*map(str, (experiment.model, file, tmp_path / "filtered", "--filter"))]
    predict.main([*run, "momentum+energy"])
    positions = np.load(tmp_path / "filtered" / "forecast.npy").astype(float)
    frames = np.load(file)
    masses = frames[0, :, 2]
    centre = np.einsum("n,tnd->td", masses / masses.sum(), positions)
    np.testing.assert_allclose(np.diff(centre, 2, axis=0), 0.0, atol=1e-5)
    predict.main([*run[:2], str(tmp_path / "free")])
    free = np.load(tmp_path / "free" / "forecast.npy")
    assert np.abs(free - positions).max() > 1e-3
