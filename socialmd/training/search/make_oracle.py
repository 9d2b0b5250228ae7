"""Algorithms of a search by name."""

from __future__ import annotations

from typing import Any

import keras_tuner
import numpy as np

from socialmd.training.search.durable_oracle import DurableOracle
from socialmd.training.search.tpe_oracle import TPEOracle

__all__ = ["ALGORITHMS", "OBJECTIVE", "make_oracle"]

ALGORITHMS: dict[str, type[keras_tuner.Oracle]] = {
    "tpe": TPEOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
    "random": keras_tuner.oracles.RandomSearchOracle,
}
OBJECTIVE = "val_loss"


def make_oracle(
    algorithm: str,
    space: keras_tuner.HyperParameters,
    max_trials: int,
    max_epochs: int,
    seed: int = 0,
) -> DurableOracle:
    """What decides which values are tried.

    Args:
        algorithm: `"tpe"`, the tree-structured Parzen estimator; `"bayesian"`, a Gaussian process;
            `"hyperband"`, random values of which the better half is trained for longer; `"random"`.
        space: hyperparameters that may be varied.
        max_trials: trials at most.
        max_epochs: of each trial; hyperband gives most of them less.
        seed: of the draws.

    Returns:
        The oracle; it minimises the validation loss and goes on whatever fails.

    Raises:
        ValueError: there is no such algorithm.

    Example:
        >>> oracle = make_oracle("tpe", space, max_trials=40, max_epochs=3)
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm: expected one of {', '.join(ALGORITHMS)}, found {algorithm!r}")
    base = ALGORITHMS[algorithm]
    durable = type(base.__name__, (DurableOracle, base), {})
    arguments: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": space,
        # KerasTuner counts seeds up: searches with neighbouring ones would draw the same values.
        "seed": int(np.random.SeedSequence(seed).generate_state(1)[0]),
        "max_consecutive_failed_trials": max_trials + 1,
    }
    if algorithm == "hyperband":
        # As many sweeps as there are trials for.
        oracle = durable(max_epochs=max_epochs, hyperband_iterations=None, **arguments)
        oracle.max_trials = max_trials
    else:
        oracle = durable(max_trials=max_trials, **arguments)
    oracle.verbose = 0
    return oracle
