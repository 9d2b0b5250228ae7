"""What an interaction network has learned: in the report, and as a figure of its own."""

import keras
import pytest

from socialmd.commands import figures
from socialmd.config import InteractionModelConfig, ManyBodySystem, save_config
from socialmd.data import read_windows
from socialmd.data.dataset_description import read_description
from socialmd.evaluation import NotPossibleError
from socialmd.models import build_model, load
from socialmd.reporting import (
    FigureFolder,
    ForecastEvaluation,
    forecast_evaluation,
    forecast_windows,
)
from socialmd.reporting.measure import measures
from socialmd.reporting.measures.learned_law import LearnedLaw, draw_interaction
from tests.commands.conftest import CONFIG, write_free_motion
from tests.run_eagerly import run_eagerly

LAW = ManyBodySystem(num_particles=3)  # not that of the data, which does not matter here


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data with a law, and a model that was never trained and has grids."""
    folder = tmp_path_factory.mktemp("interaction")
    write_free_motion(folder / "data", LAW, {"train": 3, "test": 2})
    model_config = InteractionModelConfig(
        kind="interaction_lstm", filter="grid", grid_sizes=(4.0,), grid_cells=4, substeps=1
    )
    config = CONFIG.model_copy(update={"model": model_config})
    keras.utils.set_random_seed(1)
    model = build_model(config)
    model.build((None, config.data.input_steps, None, 4))
    model.is_adapted.assign(1.0)
    (folder / "net").mkdir()
    model.save(folder / "net" / "model.keras")
    save_config(config, folder / "net" / "config.toml")
    return folder


def test_the_figure_has_its_caption_and_its_own_name(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    figures.main(["net", "data", "figures", "--only", "interaction"])
    assert "Made in figures: interaction\n" in capsys.readouterr().out
    assert {path.name for path in (folder / "figures").iterdir()} == {
        "captions.md",
        "interaction.pdf",
        "interaction.png",
    }
    captions = (folder / "figures" / "captions.md").read_text()
    assert "by the law of the data set (dashed)" in captions
    assert "Bottom: the same acceleration" in captions


@pytest.mark.usefixtures("coarse_figures")
def test_the_report_shows_it(folder, tmp_path, monkeypatch):
    model = load(folder / "net")
    some = [each for each in measures() if each.is_required or isinstance(each, LearnedLaw)]
    monkeypatch.setattr(forecast_evaluation, "measures", lambda: some)
    with run_eagerly():
        forecasts = forecast_windows({"net": model}, CONFIG.data, folder / "data", "test", 4)
        evaluation = ForecastEvaluation(forecasts, num_samples=0)
    page = evaluation.report(FigureFolder(tmp_path), "4 windows").html()
    assert "What has been learned of the interaction" in page
    assert "net: Acceleration of a particle by one neighbour" in page
    error = evaluation.numbers["interactions"]["net"].typical_error
    assert f"typically {100 * error:.2g} %" in page
    assert "interactions" not in evaluation.to_json()


def test_without_a_law_the_figure_is_drawn_without_and_says_so(folder):
    model = load(folder / "net")
    windows = read_windows(folder / "data", "test", CONFIG.data)
    description = read_description(folder / "data")
    law, no_law = (description.model_copy(update={"law": each}) for each in (description.law, None))
    with_law, alone = (draw_interaction(model, windows, each, 0.5) for each in (law, no_law))
    assert len(with_law.figure.axes) == len(alone.figure.axes) + 2
    assert "law of the data set" not in alone.shows
    assert "relative error" not in alone.shows


def test_other_models_have_learned_no_law(folder, experiment, load_once):
    windows = read_windows(experiment.data, "test", CONFIG.data)
    with pytest.raises(NotPossibleError, match="no acceleration of pairs"):
        draw_interaction(
            load_once(experiment.model), windows, read_description(experiment.data), 0.5
        )
