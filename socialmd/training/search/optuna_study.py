"""KerasTuner's trials as a study of Optuna's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras_tuner
import optuna
from keras_tuner.engine import hyperparameters as kinds
from keras_tuner.engine.trial import Trial

__all__ = ["make_study", "suggest"]


def make_study(
    trials: Iterable[Trial],
    direction: str = "min",
    sampler: optuna.samplers.BaseSampler | None = None,
) -> optuna.Study:
    """A study that knows these trials.

    Failed trials are there with an infinitely bad value, so that what made them fail is avoided.

    Args:
        trials: complete, failed or running.
        direction: `"min"` or `"max"`.
        sampler: that will suggest values.

    Returns:
        The study, in memory.

    Example:
        >>> study = make_study(oracle.trials.values())
        >>> optuna.importance.get_param_importances(study)
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study
    try:
        study = optuna.create_study(direction=f"{direction}imize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
    worst = -math.inf if direction == "max" else math.inf
    for trial in trials:
        study.add_trial(_to_optuna(trial, worst))
    return study


def suggest(study: optuna.Study, space: keras_tuner.HyperParameters) -> dict[str, Any]:
    """Let a study's sampler choose values for a new trial.

    Args:
        study: from `make_study`; the new trial runs in it from now on.
        space: what there is to choose, parents before those that depend on them.

    Returns:
        Values of those hyperparameters that exist, given their parents' values, by name.
    """
    trial = study.ask()
    chosen = keras_tuner.HyperParameters()
    for hyperparameter in space.space:
        chosen.merge([hyperparameter])
        if chosen.is_active(hyperparameter):
            chosen.values[hyperparameter.name] = _suggest(trial, hyperparameter)
    return dict(chosen.values)


def _to_optuna(trial: Trial, worst: float) -> optuna.trial.FrozenTrial:
    values = trial.hyperparameters.values
    active = {
        hyperparameter.name: hyperparameter
        for hyperparameter in trial.hyperparameters.space
        if hyperparameter.name in values and not isinstance(hyperparameter, kinds.Fixed)
    }
    states = {"COMPLETED": "COMPLETE", "FAILED": "COMPLETE", "INVALID": "COMPLETE"}
    state = optuna.trial.TrialState[states.get(trial.status, "RUNNING")]
    has_ended = state.is_finished()
    value = trial.score if trial.status == "COMPLETED" else worst
    return optuna.trial.create_trial(
        state=state,
        value=value if has_ended else None,
        params={name: _encode(each, values[name]) for name, each in active.items()},
        distributions={name: _distribution(each) for name, each in active.items()},
    )


# === One hyperparameter ===


def _suggest(trial: optuna.Trial, hyperparameter: Any) -> Any:
    if isinstance(hyperparameter, kinds.Fixed):
        return hyperparameter.value
    name, domain = hyperparameter.name, _distribution(hyperparameter)
    if isinstance(domain, optuna.distributions.CategoricalDistribution):
        return trial.suggest_categorical(name, domain.choices)
    if isinstance(domain, optuna.distributions.IntDistribution):
        return _decode(
            hyperparameter, trial.suggest_int(name, domain.low, domain.high, log=domain.log)
        )
    return _decode(
        hyperparameter, trial.suggest_float(name, domain.low, domain.high, log=domain.log)
    )


def _distribution(hyperparameter: Any) -> Any:
    """A hyperparameter's values as Optuna has them: those on a grid by their number."""
    if isinstance(hyperparameter, kinds.Boolean):
        return optuna.distributions.CategoricalDistribution((False, True))
    if isinstance(hyperparameter, kinds.Choice) and not hyperparameter.ordered:
        return optuna.distributions.CategoricalDistribution(tuple(hyperparameter.values))
    if count := _grid_points(hyperparameter):
        return optuna.distributions.IntDistribution(0, count - 1)
    is_log = hyperparameter.sampling == "log"
    ends = (hyperparameter.min_value, hyperparameter.max_value)
    if isinstance(hyperparameter, kinds.Int):
        return optuna.distributions.IntDistribution(*ends, log=is_log)
    return optuna.distributions.FloatDistribution(*ends, log=is_log)


def _encode(hyperparameter: Any, value: Any) -> Any:
    if count := _grid_points(hyperparameter):
        return min(int(hyperparameter.value_to_prob(value) * count), count - 1)
    return value


def _decode(hyperparameter: Any, value: Any) -> Any:
    if count := _grid_points(hyperparameter):
        return hyperparameter.prob_to_value((value + 0.5) / count)
    return value


def _grid_points(hyperparameter: Any) -> int:
    """How many values it has if they are ordered and can be counted, otherwise zero."""
    if isinstance(hyperparameter, kinds.Choice):
        return len(hyperparameter.values) if hyperparameter.ordered else 0
    return len(list(hyperparameter.values)) if getattr(hyperparameter, "step", None) else 0
