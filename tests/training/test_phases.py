"""Trainings in phases: each from the best weights of the one before, interrupted anywhere."""

import gc
import warnings

import keras
import numpy as np
import pytest
import tomli_w

from socialmd import load_config
from socialmd.config import ExperimentConfig
from socialmd.losses import StudentTError
from socialmd.models import load
from socialmd.training import fit, read_history
from socialmd.training.history import of_phase
from socialmd.training.training_backup import last_backup
from tests.run_eagerly import run_eagerly
from tests.training.event_files import read_run
from tests.training.no_log import no_log
from tests.world import EXPERIMENT

INTERACTION = {
    "kind": "interaction_lstm",
    "cutoff": 4.0,
    "num_intervals": 4,
    "units": 2,
    "channels": 2,
    "hidden_units": 2,
    "substeps": 2,
}
PHASES = [
    {"feedback": "truth", "window": 4, "epochs": 1, "loss": "student_t", "substeps": 1},
    {"feedback": "truth", "epochs": 1, "learning_rate": 0.01, "decay": "cosine", "frozen": ["law"]},
    {"feedback": "sample", "window": 5, "epochs": 1, "loss": "energy_score", "num_samples": 2},
    {"feedback": "mean", "window": 5, "epochs": 1, "frozen": ["cell", "conditional"]},
]


def experiment(phases=PHASES, model=INTERACTION, **training):
    training = {**EXPERIMENT["training"], "backup_every": 1, **training, "phases": phases}
    return ExperimentConfig.model_validate({**EXPERIMENT, "model": model, "training": training})


class Interrupt(keras.callbacks.Callback):
    """Stops a training as a killed process does, in a given epoch and step."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """Folder and model of all phases, not interrupted; tests only look at them."""
    folder = tmp_path_factory.mktemp("phases")
    with run_eagerly():
        return folder, fit(experiment(), data, folder, verbose=0)


def weights(model):
    return {w.path.partition("/")[2]: np.array(w) for w in model.weights}


def test_every_phase_is_in_the_log(trained):
    folder, model = trained
    history = read_history(folder / "history.csv")
    assert history["epoch"] == [0, 1, 2, 3]
    assert history["phase"] == [0, 1, 2, 3]
    assert of_phase(history, 2)["epoch"] == [2]
    assert model.densities == ("conditional", "marginal")
    assert load(folder).densities == model.densities
    steps = list(read_run(folder / "tensorboard" / "train")["batch/loss"])
    assert steps == list(range(1, len(steps) + 1))  # no step twice, none left out


@pytest.mark.parametrize("at", [(1, 0), (2, 1), (3, 0)], ids=str)
def test_interrupted_in_any_phase_it_ends_as_if_it_had_not_been(data, trained, tmp_path, at):
    folder, expected = trained
    with run_eagerly(), no_log():
        with warnings.catch_warnings():
            # Keras' CSVLogger leaves its file open when training is interrupted.
            warnings.simplefilter("ignore", ResourceWarning)
            with pytest.raises(KeyboardInterrupt):
                fit(experiment(), data, tmp_path, callbacks=[Interrupt(*at)], verbose=0)
            gc.collect()
        assert last_backup(tmp_path / "backup")[0] == at[0]
        model = fit(experiment(), data, tmp_path, verbose=0)
    assert model.densities == expected.densities
    for name, values in weights(expected).items():
        np.testing.assert_array_equal(weights(model)[name], values, err_msg=name)
    files = (each / "history.csv" for each in (folder, tmp_path))
    first, again = (file.read_text() for file in files)
    assert first == again


def test_what_is_frozen_stays_and_what_follows_starts_from_the_best(data, tmp_path):
    """With a pause between the phases, too."""
    config = experiment(PHASES[:2])
    with run_eagerly(), no_log():
        fit(config, data, tmp_path, verbose=0, stop_after=1)
        before = [np.array(weight) for weight in load(tmp_path).weights]
        model = fit(config, data, tmp_path, verbose=0)
    changed = {
        weight.path
        for weight, value in zip(model.weights, before, strict=True)
        if np.any(np.array(weight) != value)
    }
    assert not any("/law/" in path for path in changed)
    assert any("/conditional/" in path for path in changed)
    assert any("/lstm/" in path for path in changed)


def test_without_improvement_the_next_phase_begins(data, tmp_path):
    phases = [
        {"feedback": "truth", "epochs": 9, "patience": 1, "learning_rate": 30.0},
        {"feedback": "mean", "epochs": 1},
    ]
    with run_eagerly(), no_log():
        fit(experiment(phases), data, tmp_path, verbose=0)
    history = read_history(tmp_path / "history.csv")
    first = of_phase(history, 0)["val_loss"]
    assert len(first) < 9
    assert first[-1] > min(first)
    assert history["phase"][-1] == 1


@pytest.mark.parametrize("feedback", ["truth", "mean"])
@pytest.mark.parametrize("kind", ["social_lstm", "sequence_lstm"])
def test_other_models_go_through_phases_too(data, tmp_path, kind, feedback):
    """One density, which the last phase decides on."""
    models = {
        "social_lstm": {**EXPERIMENT["model"], "grid_sizes": []},
        "sequence_lstm": {"kind": kind, "mlp_units": [4], "lstm_units": [4]},
    }
    phases = [{"feedback": feedback, "epochs": 1}]
    with run_eagerly(), no_log():
        model = fit(experiment(phases, models[kind]), data, tmp_path, verbose=0)
    assert model.densities == (("conditional",) if feedback == "truth" else ("marginal",))
    assert np.isfinite(read_history(tmp_path / "history.csv")["val_loss"]).all()


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ({"frozen": ["nothing"]}, r"training.phases.0.frozen: expected some of .*law.*'nothing'"),
        ({"window": 3}, r"training.phases.0.window: expected 4 to 7, found 3"),
        ({"window": 8}, r"training.phases.0.window: expected 4 to 7, found 8"),
        ({"feedback": "sample"}, r"training.phases.0.loss: expected energy_score beside"),
        ({"loss": "energy_score"}, r'training.phases.0.loss: expected feedback = "sample"'),
        (
            [{"feedback": "truth"}, {"feedback": "sample", "loss": "energy_score"}],
            r"distribution: expected one through whose draws gradients flow.*found 'mixture'",
        ),
        ({"feedback": "history"}, r"training.phases.0.feedback.*found 'history'"),
        ({"decay": "linear"}, r"training.phases.0.decay.*found 'linear'"),
    ],
)
def test_impossible_phases_are_refused_before_anything_is_written(data, tmp_path, phase, message):
    tables = experiment().model_dump(mode="json", exclude_none=True)
    tables["training"]["phases"] = phase if isinstance(phase, list) else [phase]
    tables["model"]["distribution"] = "mixture" if isinstance(phase, list) else "student_t"
    (tmp_path / "config.toml").write_text(tomli_w.dumps(tables))
    with pytest.raises(ValueError, match=message):
        fit(load_config(tmp_path / "config.toml"), data, tmp_path / "output", verbose=0)
    assert not (tmp_path / "output").exists()


def test_substeps_are_those_of_models_that_integrate():
    with pytest.raises(ValueError, match=r"substeps: expected none for model\.kind = social_lstm"):
        experiment([{"substeps": 2}], EXPERIMENT["model"])


def test_student_t_error_is_its_formula(rng):
    truth = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    parameters = rng.normal(size=(2, 3, 4, 4)).astype("float32")
    squares = np.sum((truth - parameters[..., :2]) ** 2, axis=-1) / 0.3**2
    expected = np.mean(2.5 * np.log(1 + squares / 3))
    loss = StudentTError(0.3)
    assert float(loss(truth, parameters)) == pytest.approx(expected, rel=1e-5)
    copy = StudentTError.from_config(loss.get_config())
    assert float(copy(truth, parameters)) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="scale: expected a positive length, found 0"):
        StudentTError(0.0)
