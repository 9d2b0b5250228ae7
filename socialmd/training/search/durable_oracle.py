"""What KerasTuner's oracles need to survive a `kill -9`: their own, and that of a worker."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial

from socialmd.files import write_text

__all__ = ["DurableOracle"]


class DurableOracle(keras_tuner.Oracle):
    """Saves all that it knows in one file that is replaced as a whole; to be mixed into an oracle.

    KerasTuner writes a trial and the list of trials one after the other and in place: killed in
    between, it repeats a trial that has ended or forgets one that runs. And it waits forever for a
    worker that does not come back. Here trials of workers that are silent can be given to others.

    Example:
        >>> class DurableRandomSearch(DurableOracle, keras_tuner.oracles.RandomSearchOracle):
        ...     pass
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._last_seen: dict[str, float] = {}  # trial -> when its worker was heard of

    # KerasTuner's: the trials that run, by worker.
    ongoing_trials: dict[str, Trial]

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
        super().set_state(state)

    def save(self) -> None:
        """Replace the file of the search, `oracle.json`."""
        write_text(self._get_oracle_fname(), json.dumps(self.get_state(), indent=1) + "\n")

    def reload(self) -> None:
        """Go on from `oracle.json`; what ran then runs again, or still does.

        Raises:
            ValueError: the file is not that of a search.
        """
        path = Path(self._get_oracle_fname())
        try:
            self.set_state(json.loads(path.read_text("utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not the state of a search: {error!r}") from error
        if "KERASTUNER_ORACLE_IP" in os.environ:  # their workers may not even have noticed
            self._last_seen = {
                trial.trial_id: time.monotonic() for trial in self.ongoing_trials.values()
            }
        else:
            self._retry_queue += [trial.trial_id for trial in self.ongoing_trials.values()]
            self.ongoing_trials = {}

    # === Workers ===

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """As KerasTuner's; the worker has been heard of."""
        trial = super().create_trial(tuner_id)
        self._last_seen[trial.trial_id] = time.monotonic()
        return trial

    def get_trial(self, trial_id: str) -> Trial:
        """As KerasTuner's; workers call it while they train, to be heard of."""
        self._last_seen[trial_id] = time.monotonic()
        return super().get_trial(trial_id)

    @keras_tuner.synchronized
    def release_lost_trials(self, silence: float) -> list[str]:
        """Let other workers have the trials of workers that have not been heard of.

        Args:
            silence: seconds.

        Returns:
            Their trials.
        """
        earliest = time.monotonic() - silence
        lost = {
            tuner_id: trial.trial_id
            for tuner_id, trial in self.ongoing_trials.items()
            if self._last_seen[trial.trial_id] < earliest
        }
        for tuner_id, trial_id in lost.items():
            del self.ongoing_trials[tuner_id]
            self.tuner_ids.discard(tuner_id)
            self._retry_queue.append(trial_id)
        if lost:
            self.save()
        return list(lost.values())
