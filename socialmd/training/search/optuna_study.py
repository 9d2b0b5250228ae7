"""KerasTuner's trials as a study of Optuna's: suggestions, and which hyperparameters mattered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras_tuner
import optuna
from keras_tuner.engine import hyperparameters as kinds
from keras_tuner.engine.trial import Trial

from socialmd.training.search.trial_record import TrialRecord

__all__ = ["make_study", "rank_importances", "suggest"]

MINIMUM_TRIALS = 10


def make_study(
    trials: Iterable[Trial],
    direction: str = "min",
    sampler: optuna.samplers.BaseSampler | None = None,
) -> optuna.Study:
    """A study, in memory, that knows these trials, complete, failed or running.

    Failed trials are there with an infinitely bad value, so that what made them fail is avoided.
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
    """Let a study's sampler choose values for a new trial, which runs in it from now on.

    The space has parents before those that depend on them; chosen are the values of those that
    exist, given their parents' values.
    """
    trial = study.ask()
    chosen = keras_tuner.HyperParameters()
    for hyperparameter in space.space:
        chosen.merge([hyperparameter])
        if chosen.is_active(hyperparameter):
            chosen.values[hyperparameter.name] = _suggest(trial, hyperparameter)
    return dict(chosen.values)


def rank_importances(records: Sequence[TrialRecord], seed: int = 0) -> dict[str, float]:
    """How much of the trials' differences each hyperparameter explains, by functional ANOVA [1].

    What is explained is a trial's rank by its loss: a few trials that went wrong, with losses a
    hundred times larger than all others, would otherwise be all that counts. Hyperparameters that
    do not exist in every trial are left out.

    Args:
        records: trials; those that are not complete do not count.
        seed: of the random forest that the decomposition is of.

    Returns:
        Fractions by name, the largest first; nothing for less than `MINIMUM_TRIALS` trials.

    References:
        [1] F. Hutter, H. Hoos, K. Leyton-Brown, An efficient approach for assessing hyperparameter
            importance, ICML 2014.

    Example:
        >>> rank_importances(read_trials(output))
        {'model.prediction': 0.71, 'training.learning_rate': 0.16, 'model.units': 0.13}
    """
    complete = [record for record in records if record.is_complete]
    if len(complete) < MINIMUM_TRIALS:
        return {}
    by_loss = sorted(range(len(complete)), key=lambda index: complete[index].losses["val_loss"])
    ranks = {index: float(rank) for rank, index in enumerate(by_loss)}
    study = make_study([record.trial for record in complete])
    return optuna.importance.get_param_importances(
        study,
        evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed),
        target=lambda trial: ranks[trial.number],
    )


def _to_optuna(trial: Trial, worst: float) -> optuna.trial.FrozenTrial:
    values = trial.hyperparameters.values
    active = {
        hyperparameter.name: hyperparameter
        for hyperparameter in trial.hyperparameters.space
        if hyperparameter.name in values and not isinstance(hyperparameter, kinds.Fixed)
    }
    has_ended = trial.status in ("COMPLETED", "FAILED", "INVALID")
    value = trial.score if trial.status == "COMPLETED" else worst
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if has_ended else optuna.trial.TrialState.RUNNING,
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
    is_integer = isinstance(domain, optuna.distributions.IntDistribution)
    draw = trial.suggest_int if is_integer else trial.suggest_float
    value = draw(name, domain.low, domain.high, log=domain.log)
    count = _grid_points(hyperparameter)
    return hyperparameter.prob_to_value((value + 0.5) / count) if count else value


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


def _grid_points(hyperparameter: Any) -> int:
    """How many values it has if they are ordered and can be counted, otherwise zero."""
    if isinstance(hyperparameter, kinds.Choice):
        return len(hyperparameter.values) if hyperparameter.ordered else 0
    return len(list(hyperparameter.values)) if getattr(hyperparameter, "step", None) else 0
