"""KerasTuner's loop over trials, each of which is a training of `socialmd.training.fit`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial

from socialmd.config import ExperimentConfig
from socialmd.files import write_atomically
from socialmd.models.trained_model import CONFIG_FILE
from socialmd.run_apart import run_apart
from socialmd.training.search.durable_oracle import DurableOracle
from socialmd.training.search.hyperparameters import make_experiment
from socialmd.training.search.make_oracle import OBJECTIVE
from socialmd.training.search.memory import check_memory, largest_system
from socialmd.training.search.run_trial import (
    FAILURE,
    TrialTask,
    best_epoch,
    run_trial,
    write_failure,
)
from socialmd.training.search.trial_record import STATE

__all__ = ["TrialTuner"]


class TrialTuner(BaseTuner):
    """Runs trials one after the other, alone or as one of many workers.

    Where KerasTuner's environment variables say so, this is the chief, which trains nothing and
    tells workers what to try, or one of the workers. Chief and workers share the output folder.

    A trial that fails, for whatever reason, is recorded and the next one's turn comes. A training
    that was interrupted goes on where it was, by whichever worker.

    Args:
        oracle: decides what is tried.
        config: the experiment, with a table `[search]`.
        data: folder of the data set.
        output: folder of the search.

    Attributes:
        silence_seconds: after which the chief takes a worker for lost that is not heard of.
    """

    silence_seconds = 300.0

    def __init__(
        self, oracle: DurableOracle, config: ExperimentConfig, data: Path, output: Path
    ) -> None:
        self.config, self.data = config, data
        self.system = largest_system(data)
        self.is_idle = False
        output = Path(os.path.abspath(output))
        super().__init__(oracle, directory=str(output.parent), project_name=output.name)

    # === State: that of the oracle is all there is ===

    def _get_tuner_fname(self) -> str:
        return os.path.join(self.project_dir, STATE)

    def save(self) -> None:
        if not self._is_worker():
            self.oracle.save()

    def reload(self) -> None:
        if not self._is_worker():
            self.oracle.reload()

    # === Search ===

    def search(self) -> None:
        """Make all trials, or help to, or as the chief see to it that they are made."""
        if not os.environ.get("KERASTUNER_ORACLE_IP") or self._is_worker():
            super().search()
            return
        threading.Thread(target=self._look_after_workers, daemon=True).start()
        with contextlib.redirect_stdout(None):  # KerasTuner 1.4 prints conditions that it sends
            super().search()

    def pre_create_trial(self) -> None:
        if self.is_idle:  # there was nothing to do a moment ago
            time.sleep(1.0)
        self.is_idle = True

    def on_trial_begin(self, trial: Trial) -> None:
        self.is_idle = False

    def _try_run_and_update_trial(self, trial: Trial) -> None:
        """As KerasTuner's, which prints a traceback for every failure and goes on after any."""
        try:
            with warnings.catch_warnings():
                # A trial that was killed between its result and its end has one already, which
                # KerasTuner takes for reported by `run_trial`.
                warnings.filterwarnings("ignore", "The use case of calling", DeprecationWarning)
                self._run_and_update_trial(trial)
            trial.status = "COMPLETED"
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = "FAILED", str(error)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        folder = Path(self.get_trial_dir(trial.trial_id))
        (folder / FAILURE).unlink(missing_ok=True)
        try:
            task = self._make_task(trial, folder)
        except ValueError as error:
            write_failure(folder, str(error))
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        with self._heartbeat(trial.trial_id):
            status = run_apart(run_trial, task)
        if status != 0:
            if not (folder / FAILURE).is_file():
                write_failure(folder, _died(status))
            raise keras_tuner.errors.FailedTrialError((folder / FAILURE).read_text("utf-8"))
        return {OBJECTIVE: best_epoch(folder)[1][OBJECTIVE]}

    def _make_task(self, trial: Trial, folder: Path) -> TrialTask:
        values = trial.hyperparameters.values
        config = make_experiment(self.config, values)
        limit = self.config.search.memory_gib if self.config.search else None
        check_memory(config, self.system, limit)
        if "tuner/trial_id" in values:  # hyperband: the same training, for longer
            earlier = Path(self.get_trial_dir(values["tuner/trial_id"]))
            _continue(earlier, folder)
        varied = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        minutes = self.config.search.minutes if self.config.search else None
        return TrialTask(config, self.data, folder, varied, minutes, values.get("tuner/epochs"))

    def on_trial_end(self, trial: Trial) -> None:
        with contextlib.redirect_stdout(None):
            super().on_trial_end(trial)
        folder = Path(self.get_trial_dir(trial.trial_id))
        if (folder / FAILURE).is_file():
            reason = " ".join((folder / FAILURE).read_text("utf-8").split())
            print(f"{folder.name}: failed: {reason:.200}", flush=True)
        else:
            loss = best_epoch(folder)[1][OBJECTIVE]
            print(f"{folder.name}: validation NLL {loss:.4f}", flush=True)

    # === Workers ===

    @contextlib.contextmanager
    def _heartbeat(self, trial_id: str) -> Iterator[None]:
        """Let the chief hear of this worker meanwhile."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(self.silence_seconds / 10):
                self.oracle.get_trial(trial_id)

        if self._is_worker():
            threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _look_after_workers(self) -> None:
        while True:
            time.sleep(self.silence_seconds / 10)
            for trial_id in self.oracle.release_lost_trials(self.silence_seconds):
                print(
                    f"trial_{trial_id}: nothing was heard of its worker for "
                    f"{self.silence_seconds:g} s; another one may have it",
                    file=sys.stderr,
                )


def _continue(earlier: Path, folder: Path) -> None:
    """Copy a paused training, unless that was done before an interruption."""
    if (folder / CONFIG_FILE).is_file():
        return
    ignored = shutil.ignore_patterns("trial.json", CONFIG_FILE)
    shutil.copytree(earlier, folder, dirs_exist_ok=True, ignore=ignored)
    # Last: what has it is complete.
    config = (earlier / CONFIG_FILE).read_bytes()
    write_atomically(folder / CONFIG_FILE, lambda file: file.write(config))


def _died(status: int) -> str:
    if status < 0:
        return f"ended by signal {-status}" + (", perhaps for want of memory" * (status == -9))
    return f"ended with status {status} and no reason"
