"""The tree-structured Parzen estimator, which the thesis searched with, for KerasTuner."""

from __future__ import annotations

import warnings
from typing import Any

import keras_tuner
import optuna

from socialmd.training.search.optuna_study import make_study, suggest

__all__ = ["TPEOracle"]

SUGGESTIONS, DRAWS = 20, 100  # until one was not tried before


class TPEOracle(keras_tuner.Oracle):
    """Suggests values that good trials had more often than others [1], by Optuna's `TPESampler`.

    Hyperparameters are taken together [2], those that exist only where others have certain values
    from the trials in which they did. Failed trials count as infinitely bad.

    A suggestion is made from the trials alone: those that have ended, those that still run, which
    other workers should not repeat, and a seed that counts them. So there is no more to save than
    KerasTuner does, and a search that goes on after an interruption suggests what it would have
    without one.

    Args:
        objective: what is optimised (see `keras_tuner.Oracle`).
        max_trials: trials to make; fewer if all that can be tried has been.
        num_random_trials: trials that end before values are not drawn at random any more.
        seed: of the draws, a positive integer.
        arguments: others of `keras_tuner.Oracle`.

    Raises:
        ValueError: the number of random trials is not positive.

    References:
        [1] J. Bergstra, R. Bardenet, Y. Bengio, B. Kegl, Algorithms for hyper-parameter
            optimization, NeurIPS 2011.
        [2] S. Falkner, A. Klein, F. Hutter, BOHB: robust and efficient hyperparameter optimization
            at scale, ICML 2018.

    Example:
        >>> oracle = TPEOracle(keras_tuner.Objective("val_loss", "min"), max_trials=40, seed=1)
        >>> tuner = keras_tuner.Tuner(oracle=oracle, hypermodel=build_model)
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        num_random_trials: int = 10,
        seed: int | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **arguments)
        if num_random_trials < 1:
            raise ValueError(f"num_random_trials: expected at least 1, found {num_random_trials}")
        self.num_random_trials = num_random_trials

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for a trial, as `keras_tuner.Oracle` asks; none where nothing is left to try."""
        seed = (self.seed + len(self.trials)) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            parzen = optuna.samplers.TPESampler(
                n_startup_trials=self.num_random_trials,
                multivariate=True,  # values that were good together
                group=True,  # where not all hyperparameters exist in every trial
                constant_liar=True,  # keeps away from trials that still run
                seed=seed,
            )
        study = make_study(self.trials.values(), self.objective.direction)
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        # Of a small space, what is left in the end are values that look bad.
        samplers = ((parzen, SUGGESTIONS), (optuna.samplers.RandomSampler(seed), DRAWS))
        for study.sampler, attempts in samplers:
            for _ in range(attempts):
                if (values := suggest(study, self.hyperparameters)) not in tried:
                    return {"status": "RUNNING", "values": values}
        return {"status": "STOPPED", "values": None}
