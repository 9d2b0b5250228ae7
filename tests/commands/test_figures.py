"""The thesis' figures in miniature."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from socialmd.commands import figures
from socialmd.config import save_config
from socialmd.data import describe_dataset
from socialmd.evaluation import NotPossibleError
from socialmd.reporting import Drawing, FigureFolder
from tests.commands.conftest import CONFIG, FRAME_SPACING

HISTORY = "epoch,loss,mae,val_loss,val_mae\n0,3.0,0.4,2.0,{}\n"


@pytest.fixture(scope="module")
def folder(experiment, tmp_path_factory):
    """Sources of all figures. Of the particles of the test split two meet, and one is far away."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "data" / "test").mkdir(parents=True)
    time = np.linspace(-1, 1, 40)[:, None]
    for number in range(2):
        frames = np.ones((40, 3, 4))
        frames[:, 0, :2] = time * [1.0, 0.2 + number]
        frames[:, 1, :2] = time * [-1.0, 0.2] + [0.0, 0.1]
        frames[:, 2, :2] = time * [0.1, 0.1] + [3.0, 3.0]
        np.save(folder / "data" / "test" / f"simulation_{number:05d}.npy", frames)
    names = ["x", "y", "mass", "charge"]
    describe_dataset(folder / "data", features=names, frame_spacing=FRAME_SPACING)
    (folder / "tiny").mkdir()
    (folder / "tiny" / "model.keras").write_bytes((experiment.model / "model.keras").read_bytes())
    save_config(CONFIG, folder / "tiny" / "config.toml")
    (folder / "tiny" / "history.csv").write_text(HISTORY.format(0.3))
    errors = {"reference/seed_0": 0.25, "reference/seed_1": 0.75, "mono_grid/seed_0": 0.75}
    for name, mae in errors.items():
        training = folder / "comparison" / name
        training.mkdir(parents=True)
        (training / "test.json").write_text("{}")
        (training / "history.csv").write_text(HISTORY.format(mae))
    (folder / "comparison" / "reference" / "seed_2").mkdir()  # not complete
    report = '{"constant_velocity": {"validation": {"mae": 0.9}}}'
    (folder / "comparison" / "comparison.json").write_text(report)
    (folder / "circle").mkdir()
    Image.new("RGB", (5, 4), "red").save(folder / "circle" / "circle.png")
    return folder


@pytest.fixture
def run(folder, monkeypatch):
    """The script in that folder."""

    def in_folder(output, *options):
        monkeypatch.chdir(folder)
        sources = ("--circle", "circle", "--comparison", "comparison")
        figures.main([str(word) for word in ("tiny", "data", output, *sources, *options)])

    return in_folder


def save_coarsely(folder, figure, name):
    folder.path.mkdir(exist_ok=True)
    figure.savefig(folder.path / f"{name}.png", dpi=40)


def test_every_figure_is_made_with_its_caption(run, folder, monkeypatch, capsys):
    monkeypatch.setattr("socialmd.reporting.measures.forecast_gallery.PIXELS", 8)
    monkeypatch.setattr(FigureFolder, "save", save_coarsely)  # the time goes into drawing
    run("all")
    names = {path.stem for path in (folder / "all").glob("*.png")}
    assert names == set(figures.FIGURES) - {"interaction"}  # which this model has learned none of
    captions = (folder / "all" / "captions.md").read_text()
    assert captions.count("Chosen by rule: ") == len(names)
    assert captions.count("`socialmd figures tiny data all --circle ") == len(names)
    assert [line[3:] for line in captions.splitlines() if line.startswith("## ")] == sorted(names)
    for name in names - {"figure_11_12"}:
        with Image.open(folder / "all" / f"{name}.png") as image:
            assert min(image.size) > 150
    circle = (folder / "circle" / "circle.png").read_bytes()
    assert (folder / "all" / "figure_11_12.png").read_bytes() == circle
    assert f"Made in all: {', '.join(sorted(names))}" in capsys.readouterr().out


def test_rule_is_the_title_and_folders_of_a_machine_are_not_told(run, folder, tmp_path):
    figure = Figure((2, 2))
    figures.save(Drawing(figure, "the first one", "A point"), tmp_path, "figure_99")
    assert figure.get_suptitle() == "The first one"
    run(tmp_path / "out", "--only", 22)
    captions = (tmp_path / "out" / "captions.md").read_text()
    assert "`socialmd figures tiny data out --circle " in captions
    assert str(tmp_path) not in captions


def test_missing_sources_are_named_and_the_rest_is_made(run, folder, capsys):
    missing = ("--circle", "nowhere", "--comparison", "nowhere")
    run("some", *missing, "--only", 12, 22, 26)
    assert {path.name for path in (folder / "some").iterdir()} == {
        "captions.md",
        "figure_22.pdf",
        "figure_22.png",
    }
    printed = capsys.readouterr().out
    assert (
        "figure_11_12 is left out: nowhere/circle.png is not there; "
        "`socialmd circle circle nowhere` makes it"
    ) in printed
    assert "figure_26 is left out: nowhere/reference holds no complete training" in printed
    assert "Made in some: figure_22\n" in printed


def test_captions_of_earlier_figures_stay(run, folder):
    run("twice", "--only", 28)
    before = (folder / "twice" / "captions.md").read_text()
    run("twice", "--only", 22)
    after = (folder / "twice" / "captions.md").read_text()
    assert before.partition("## figure_28")[2] == after.partition("## figure_28")[2]
    assert after.index("## figure_22") < after.index("## figure_28")
    assert "first 2 simulations of the test split, 9.75 time units" in after


def test_learning_curves_are_those_of_complete_trainings(folder):
    sources = SimpleNamespace(comparison=folder / "comparison")
    drawing = figures.draw_curves(sources, "val_mae", "validation MAE")
    assert drawing.rule == "all complete trainings, 2 of the stacked grids and 1 of the mono-grid"
    (ax,) = drawing.figure.axes
    lines = [(line.get_label(), list(line.get_ydata())) for line in ax.lines]
    named = [line for line in lines if not line[0].startswith("_")]
    assert named == [
        ("stacked grids", [0.5]),
        ("mono-grid", [0.75]),
        ("constant velocity", [0.9, 0.9]),
    ]


def test_model_without_a_log_has_no_curve_of_its_training(tmp_path):
    with pytest.raises(NotPossibleError, match=r"history\.csv holds no epoch"):
        figures.draw_losses(SimpleNamespace(folder=tmp_path))


def test_unknown_figures_are_refused(run, capsys):
    with pytest.raises(SystemExit):
        run("unused", "--only", 9)
    assert "invalid choice: '9' (choose from '8', '11', '12', '22'" in capsys.readouterr().err
