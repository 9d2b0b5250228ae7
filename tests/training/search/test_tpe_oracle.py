"""The tree-structured Parzen estimator against random search, on functions of known minimum."""

import math

import keras_tuner
import numpy as np
import pytest
import scipy.stats
from keras_tuner.engine.base_tuner import BaseTuner

from socialmd.training.search import TPEOracle
from socialmd.training.search.durable_oracle import DurableOracle
from socialmd.training.search.optuna_study import make_study

OBJECTIVE = keras_tuner.Objective("loss", "min")
# Of the six-dimensional function of Hartmann, as in Surjanovic and Bingham's collection.
HARTMANN_SCALES = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def branin(values):
    """Minimum 0.398 at three points."""
    x, y = values["x"], values["y"]
    valley = y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def branin_space():
    space = keras_tuner.HyperParameters()
    space.Float("x", -5.0, 10.0)
    space.Float("y", 0.0, 15.0)
    return space


def hartmann(values):
    """Minimum 0: that of the function itself is -3.322."""
    x = np.array([values[f"x{index}"] for index in range(6)])
    exponents = np.sum(HARTMANN_SCALES * (x - HARTMANN_CENTRES) ** 2, axis=1)
    return 3.32237 - np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-exponents)


def hartmann_space():
    space = keras_tuner.HyperParameters()
    for index in range(6):
        space.Float(f"x{index}", 0.0, 1.0)
    return space


def network(values):
    """A learning rate, units and layers as losses often depend on them; minimum 0."""
    layers = [values[f"width.{index}"] for index in range(values["layers"])]
    return (
        abs(math.log10(values["rate"]) + 2.5)
        + 0.1 * abs(values["units"] - 96) / 16
        + {"tanh": 0.5, "relu": 0.0, "elu": 0.3}[values["activation"]]
        + 0.2 * abs(values["layers"] - 3)
        + sum(abs(math.log2(width / 32)) for width in layers) / 10
    )


def network_space():
    space = keras_tuner.HyperParameters()
    space.Float("rate", 1e-5, 1.0, sampling="log")
    space.Int("units", 16, 256, step=16)
    space.Choice("activation", ["tanh", "relu", "elu"])
    space.Int("layers", 1, 4)
    for index in range(4):
        space.Int(
            f"width.{index}",
            4,
            256,
            step=2,
            sampling="log",
            parent_name="layers",
            parent_values=list(range(index + 1, 5)),
        )
    return space


def run(oracle, loss, trials):
    """Let an oracle optimise a function; losses in order."""
    for _ in range(trials):
        trial = oracle.create_trial("tuner0")
        if trial.status == "STOPPED":
            break
        oracle.update_trial(trial.trial_id, {"loss": loss(trial.hyperparameters.values)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return [trial.score for trial in oracle.trials.values()]


def make(kind, space, seed, folder, trials=40, **arguments):
    oracle = kind(OBJECTIVE, max_trials=trials, seed=seed, hyperparameters=space, **arguments)
    oracle.verbose = 0
    BaseTuner(oracle, directory=str(folder), project_name=f"{kind.__name__}_{seed}")
    return oracle


class InMemory:
    """An oracle that is as good as its suggestions; its own file is no matter here."""

    def save(self):
        pass


@pytest.mark.parametrize(
    ("loss", "space", "num_seeds"),
    [(branin, branin_space, 24), (hartmann, hartmann_space, 8), (network, network_space, 8)],
    ids=["branin", "hartmann", "network"],
)
def test_it_finds_smaller_losses_than_random_search(loss, space, num_seeds, tmp_path):
    seeds = range(1000, 1000 * (num_seeds + 1), 1000)  # KerasTuner counts them up: far apart
    best = {}
    for name, base in (("tpe", TPEOracle), ("random", keras_tuner.oracles.RandomSearchOracle)):
        kind = type(name, (InMemory, base), {})
        best[name] = [min(run(make(kind, space(), seed, tmp_path), loss, 40)) for seed in seeds]
    test = scipy.stats.mannwhitneyu(best["tpe"], best["random"], alternative="less")
    assert test.pvalue < 0.05, best
    assert np.median(best["tpe"]) < 0.9 * np.median(best["random"])


def test_values_are_of_the_space_and_exist_where_their_parents_say(tmp_path):
    oracle = make(type("tpe", (InMemory, TPEOracle), {}), network_space(), 5, tmp_path)
    run(oracle, network, 30)
    for trial in oracle.trials.values():
        values = trial.hyperparameters.values
        assert 1e-5 <= values["rate"] <= 1.0
        assert values["units"] in range(16, 257, 16)
        assert values["activation"] in ("tanh", "relu", "elu")
        widths = [name for name in values if name.startswith("width")]
        assert widths == [f"width.{index}" for index in range(values["layers"])]
        assert all(values[name] in [4 * 2**power for power in range(7)] for name in widths)
    assert {trial.hyperparameters.values["units"] for trial in oracle.trials.values()} > {96}


def test_a_maximum_is_found_as_well(tmp_path):
    oracle = TPEOracle(
        keras_tuner.Objective("loss", "max"), max_trials=40, seed=2, hyperparameters=branin_space()
    )
    oracle.verbose = 0
    BaseTuner(oracle, directory=str(tmp_path), project_name="max")
    losses = run(oracle, branin, 40)
    assert np.mean(losses[25:]) > np.mean(losses[:10])


def test_a_reloaded_search_goes_on_as_if_it_had_not_been_interrupted(tmp_path):
    kind = type("durable", (DurableOracle, TPEOracle), {})
    whole = make(kind, network_space(), 7, tmp_path / "whole", 25)
    whole.file = tmp_path / "whole.json"
    expected = run(whole, network, 25)
    first = make(kind, network_space(), 7, tmp_path / "first", 25)
    second = make(kind, keras_tuner.HyperParameters(), 1, tmp_path / "second", 25)
    first.file = second.file = tmp_path / "parts.json"
    run(first, network, 13)
    second.reload()
    assert run(second, network, 25) == expected


def test_it_reloads_with_the_files_of_kerastuner_too(tmp_path):
    first = make(TPEOracle, branin_space(), 4, tmp_path, 20)
    run(first, branin, 12)
    second = make(TPEOracle, keras_tuner.HyperParameters(), 4, tmp_path, 20)
    second.reload()
    losses = run(second, branin, 20)
    assert len(losses) == 20
    for number, trial in first.trials.items():
        assert second.trials[number].score == trial.score


def test_a_small_space_is_tried_once_and_no_more(tmp_path):
    space = keras_tuner.HyperParameters()
    space.Choice("a", ["x", "y", "z"])
    space.Boolean("b")
    oracle = make(type("tpe", (InMemory, TPEOracle), {}), space, 1, tmp_path, 20)
    losses = run(oracle, lambda values: ord(values["a"]) + values["b"], 20)
    assert sorted(losses) == sorted(ord(a) + b for a in "xyz" for b in (0, 1))


def test_workers_are_given_different_values_while_others_run(tmp_path):
    oracle = make(type("tpe", (InMemory, TPEOracle), {}), branin_space(), 3, tmp_path, 60)
    run(oracle, branin, 20)
    running = [oracle.create_trial(f"worker{index}") for index in range(8)]
    points = np.array([[t.hyperparameters.values[name] for name in "xy"] for t in running])
    distances = np.linalg.norm(points[:, None] - points, axis=-1)[np.triu_indices(8, 1)]
    assert distances.min() > 1e-3


def test_failed_trials_are_avoided(tmp_path, rng):
    """Where half of the space fails, and nothing else differs, later trials fail less often."""
    space = keras_tuner.HyperParameters()
    space.Float("x", 0.0, 1.0)
    kind = type("tpe", (InMemory, TPEOracle), {})
    oracle = make(kind, space, 1, tmp_path, 60, max_consecutive_failed_trials=61)
    for _ in range(60):
        trial = oracle.create_trial("tuner0")
        if trial.hyperparameters.values["x"] > 0.5:
            trial.status = "FAILED"
        else:
            oracle.update_trial(trial.trial_id, {"loss": rng.normal()})
            trial.status = "COMPLETED"
        oracle.end_trial(trial)
    failures = [trial.status == "FAILED" for trial in oracle.trials.values()]
    study = make_study(oracle.trials.values())
    assert [math.isinf(trial.value) for trial in study.trials] == failures
    assert np.mean(failures[:10]) > 0.2
    assert np.mean(failures[30:]) < 0.2


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="num_random_trials: expected at least 1, found 0"):
        TPEOracle(OBJECTIVE, num_random_trials=0)
