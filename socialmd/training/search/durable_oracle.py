"""Algorithms of a search by name, such that they survive a `kill -9`: their own, and a worker's."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial

from socialmd.files import write_text
from socialmd.training.search.tpe_oracle import TPEOracle

__all__ = ["ALGORITHMS", "OBJECTIVE", "DurableOracle", "make_oracle"]

ALGORITHMS: dict[str, type[keras_tuner.Oracle]] = {
    "tpe": TPEOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
    "random": keras_tuner.oracles.RandomSearchOracle,
}
OBJECTIVE = "val_loss"


class DurableOracle(keras_tuner.Oracle):
    """Saves all that it knows in one file that is replaced as a whole; to be mixed into an oracle.

    KerasTuner writes a trial and the list of trials one after the other and in place: killed in
    between, it repeats a trial that has ended or forgets one that runs. And it waits forever for a
    worker that does not come back. Here trials of workers that are silent can be given to others.
    """

    file: Path  # that holds the search; to be set before anything is saved or read
    ongoing_trials: dict[str, Trial]  # KerasTuner's: those that run, by worker

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._last_seen: dict[str, float] = {}  # trial -> when its worker was heard of
        self._waiting: list[str] = []  # trials that have begun and that no worker has

    # === State ===

    def get_state(self) -> dict[str, Any]:
        """What KerasTuner saves, and the trials themselves."""
        trials = {trial_id: trial.get_state() for trial_id, trial in self.trials.items()}
        return {**super().get_state(), "trials": trials}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` has returned."""
        self.trials = {
            trial_id: Trial.from_state(trial) for trial_id, trial in state["trials"].items()
        }
        super().set_state({**state, "retry_queue": []})  # here, these are those that wait

    def save(self) -> None:
        """Replace the file of the search."""
        write_text(self.file, json.dumps(self.get_state(), indent=1) + "\n")

    def reload(self) -> None:
        """Go on from the file; what ran then runs again, or still does."""
        try:
            self.set_state(json.loads(self.file.read_text("utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.file}: not the state of a search: {error!r}") from error
        begun = [trial_id for trial_id in self.start_order if trial_id not in self.end_order]
        self.ongoing_trials = {
            tuner_id: trial
            for tuner_id, trial in self.ongoing_trials.items()
            # Workers on other machines may not even have noticed.
            if trial.trial_id in begun and "KERASTUNER_ORACLE_IP" in os.environ
        }
        running = [trial.trial_id for trial in self.ongoing_trials.values()]
        self._last_seen = dict.fromkeys(running, time.monotonic())
        self._waiting = [trial_id for trial_id in begun if trial_id not in running]

    # === Workers ===

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """As KerasTuner's; trials that wait come first, and the worker has been heard of."""
        if self._waiting and tuner_id not in self.ongoing_trials:
            trial = self.trials[self._waiting.pop(0)]
            trial.status = "RUNNING"
            self.ongoing_trials[tuner_id] = trial  # which is what this worker will be given
            self.tuner_ids.add(tuner_id)
            self.save()
        trial = super().create_trial(tuner_id)
        self._last_seen[trial.trial_id] = time.monotonic()
        return trial

    def get_trial(self, trial_id: str) -> Trial:
        """As KerasTuner's; workers call it while they train, to be heard of."""
        self._last_seen[trial_id] = time.monotonic()
        return super().get_trial(trial_id)

    @keras_tuner.synchronized
    def release_lost_trials(self, silence: float) -> list[str]:
        """Let others have the trials, returned, of workers not heard of for so many seconds."""
        earliest = time.monotonic() - silence
        lost = {
            tuner_id: trial.trial_id
            for tuner_id, trial in self.ongoing_trials.items()
            if self._last_seen[trial.trial_id] < earliest
        }
        for tuner_id, trial_id in lost.items():
            del self.ongoing_trials[tuner_id]
            self.tuner_ids.discard(tuner_id)
            self._waiting.append(trial_id)
        if lost:
            self.save()
        return list(lost.values())


def make_oracle(
    algorithm: str,
    space: keras_tuner.HyperParameters,
    max_trials: int,
    max_epochs: int,
    seed: int = 0,
) -> DurableOracle:
    """What decides which values are tried.

    `"tpe"` is the tree-structured Parzen estimator, `"bayesian"` a Gaussian process, `"hyperband"`
    draws values at random and trains the better half of them for longer, `"random"` just draws.
    Whichever minimises the validation loss and goes on whatever fails.
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
