import keras_tuner
import pytest

from socialmd import ExperimentConfig
from socialmd.training.search.hyperparameters import make_experiment, make_hyperparameters

MODEL = {
    "prediction": {"choices": ["position", "acceleration"]},
    "distance_filter": {"choices": [True, False]},
    "units": {"minimum": 8, "maximum": 24, "step": 8},
    "filters": {"number": {"minimum": 1, "maximum": 2}, "items": {"choices": [2, 4]}},
    "length_scale": {"minimum": 0.5, "maximum": 2.0},
}
TRAINING = {"learning_rate": {"minimum": 1e-4, "maximum": 1e-2, "scale": "log"}}
SEQUENCE = {
    "mlp_units": [{"minimum": 4, "maximum": 8}],
    "lstm_units": [{"minimum": 4, "maximum": 8}, {"minimum": 9, "maximum": 12}],
}


def make_config(model=None, training=None, kind="social_lstm", **search):
    return ExperimentConfig.model_validate(
        {
            "model": {"kind": kind},
            "training": {"epochs": 7},
            "search": {"model": model or {}, "training": training or {}, **search},
        }
    )


def test_the_space_is_what_the_file_says():
    space = make_hyperparameters(make_config(MODEL, TRAINING).search)
    kinds = {each.name: type(each).__name__ for each in space.space}
    assert kinds == {
        "model.prediction": "Choice",
        "model.distance_filter": "Boolean",
        "model.units": "Int",
        "model.filters.number": "Int",
        "model.filters.0": "Choice",
        "model.filters.1": "Choice",
        "model.length_scale": "Float",
        "training.learning_rate": "Float",
    }
    by_name = {each.name: each for each in space.space}
    assert list(by_name["model.units"].values) == [8, 16, 24]
    assert by_name["training.learning_rate"].sampling == "log"
    assert "model.filters.1" not in space.values  # of the shortest list, the default


def test_every_sample_of_the_space_is_an_experiment():
    config = make_config(MODEL, TRAINING)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        keras_tuner.Objective("val_loss", "min"),
        max_trials=40,
        seed=3,
        hyperparameters=make_hyperparameters(config.search),
    )
    lengths = set()
    for number in range(40):
        values = oracle.populate_space(str(number))["values"]
        experiment = make_experiment(config, values)
        assert experiment.model.units == values["model.units"]
        assert experiment.model.prediction == values["model.prediction"]
        assert experiment.model.distance_filter is values["model.distance_filter"]
        assert experiment.training.learning_rate == values["training.learning_rate"]
        assert experiment.training.epochs == 7
        assert experiment.search is None
        lengths.add(len(experiment.model.filters))
    assert lengths == {1, 2}


def test_each_lstm_of_the_sequence_model_has_its_own_range():
    config = make_config(SEQUENCE, kind="sequence_lstm", epochs=2)
    values = {"model.mlp_units.0": 5, "model.lstm_units.0": 8, "model.lstm_units.1": 9}
    experiment = make_experiment(config, values)
    assert experiment.model.mlp_units == (5,)
    assert experiment.model.lstm_units == (8, 9)
    assert experiment.training.epochs == 2


def test_values_that_do_not_go_together_are_refused_in_their_trial():
    config = make_config({"grid_cells": {"choices": [2, 32]}})
    assert make_experiment(config, {"model.grid_cells": 32}).model.grid_cells == 32
    with pytest.raises(ValueError, match="grid_cells = 2"):
        make_experiment(config, {"model.grid_cells": 2})
    with pytest.raises(ValueError, match=r"expected a table \[search\], found none"):
        make_experiment(ExperimentConfig(), {})


PHASES = [{"feedback": "truth", "window": 8, "epochs": 3}, {"feedback": "mean"}]


def make_phased(**training):
    return ExperimentConfig.model_validate(
        {"training": {"phases": PHASES}, "search": {"training": training}}
    )


def test_what_a_phase_has_may_be_varied():
    config = make_phased(**{"phases.0.window": {"choices": [6, 12]}})
    (hyperparameter,) = make_hyperparameters(config.search).space
    experiment = make_experiment(config, {hyperparameter.name: 12})
    first, second = experiment.training.phases
    assert (first.window, first.epochs, second.window) == (12, 3, None)
    assert config.training.phases[0].window == 8


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("phases.2.window", [6, 12], "search.training.phases.2.window: unknown key, .* of 0, 1 "),
        ("phases.-1.window", [6, 12], "search.training.phases.-1.window: unknown key"),
        ("phases.0", [6, 12], "search.training.phases.0: unknown key"),
        ("phases.first.window", [6, 12], "search.training.phases.first.window: unknown key"),
        ("phases.0.windows", [6, 12], "phases.0.windows: unknown key, .* feedback, window, "),
        ("phases.0.window", [2, 12], "search.training.phases.0.window: .* found 2"),
        ("seed.0", [2, 12], "search.training.seed.0: unknown key"),
    ],
)
def test_phases_and_values_that_cannot_be_are_refused(key, values, message):
    with pytest.raises(ValueError, match=message):
        make_phased(**{key: {"choices": values}})
