"""KerasTuner's loop over trials, each of which is a training of `socialmd.training.fit`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial

from socialmd.config import ExperimentConfig
from socialmd.files import write_bytes
from socialmd.models.trained_model import CONFIG_FILE
from socialmd.run_apart import run_apart
from socialmd.training.search.durable_oracle import OBJECTIVE, DurableOracle
from socialmd.training.search.hyperparameters import make_experiment
from socialmd.training.search.run_trial import (
    FAILURE,
    TrialTask,
    best_epoch,
    run_trial,
    write_failure,
)
from socialmd.training.search.trial_record import STATE

__all__ = ["TrialTuner", "is_worker"]


def is_worker() -> bool:
    """Whether this process makes trials for a chief; by KerasTuner's environment variables."""
    return "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "chief")


class TrialTuner(BaseTuner):
    """Runs trials one after the other, alone or as one of many workers.

    Where KerasTuner's environment variables say so, this is the chief, which trains nothing and
    tells workers what to try, or one of the workers. Chief and workers share the output folder.

    A trial that fails, for whatever reason, is recorded and the next one's turn comes. A training
    that was interrupted goes on where it was, by whichever worker.
    """

    silence_seconds = 300.0  # after which the chief takes a worker for lost

    def __init__(
        self, oracle: DurableOracle, config: ExperimentConfig, data: Path, output: Path
    ) -> None:
        self.config, self.data = config, data
        output = Path(os.path.abspath(output))
        oracle.file = output / STATE
        super().__init__(oracle, directory=str(output.parent), project_name=output.name)
        if oracle.file.is_file() and not is_worker():
            oracle.reload()

    def save(self) -> None:
        """The state of the oracle is all there is."""
        if not is_worker():
            self.oracle.save()

    # === Search ===

    def search(self) -> None:
        """Make all trials, or help to, or as the chief see to it that they are made."""
        if os.environ.get("KERASTUNER_ORACLE_IP") and not is_worker():
            threading.Thread(target=self._look_after_workers, daemon=True).start()
            with contextlib.redirect_stdout(None):  # KerasTuner 1.4 prints conditions that it sends
                super().search()
            return
        while (trial := self.oracle.create_trial(self.tuner_id)).status != "STOPPED":
            if trial.status == "IDLE":
                time.sleep(1.0)
                continue
            self.run_trial(trial)
            self.on_trial_end(trial)

    def run_trial(self, trial: Trial) -> None:
        """Train, and tell the oracle what came of it."""
        folder = Path(self.get_trial_dir(trial.trial_id))
        (folder / FAILURE).unlink(missing_ok=True)
        try:
            task = self._make_task(trial, folder)
        except ValueError as error:
            write_failure(folder, str(error))
        else:
            with self._heartbeat(trial.trial_id):
                status = run_apart(run_trial, task)
            if status != 0 and not (folder / FAILURE).is_file():
                write_failure(folder, _died(status))
        if (folder / FAILURE).is_file():
            trial.status, trial.message = "FAILED", (folder / FAILURE).read_text("utf-8")
        else:
            # It may have been told before, by a search that was killed then: the mean is the same.
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE: best_epoch(folder)[1][OBJECTIVE]})
            trial.status = "COMPLETED"

    def _make_task(self, trial: Trial, folder: Path) -> TrialTask:
        values = trial.hyperparameters.values
        config, search = make_experiment(self.config, values), self.config.search
        if "tuner/trial_id" in values:  # hyperband: the same training, for longer
            _continue(Path(self.get_trial_dir(values["tuner/trial_id"])), folder)
        return TrialTask(
            config,
            self.data,
            folder,
            {name: value for name, value in values.items() if not name.startswith("tuner/")},
            minutes=search.minutes if search else None,
            memory_gib=search.memory_gib if search else None,
            epochs=values.get("tuner/epochs"),
        )

    def on_trial_end(self, trial: Trial) -> None:
        with contextlib.redirect_stdout(None):
            self.oracle.end_trial(trial)
        folder = Path(self.get_trial_dir(trial.trial_id))
        if trial.status == "FAILED":
            print(f"{folder.name}: failed: {' '.join(trial.message.split()):.200}", flush=True)
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

        if is_worker():
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
    write_bytes(folder / CONFIG_FILE, (earlier / CONFIG_FILE).read_bytes())


def _died(status: int) -> str:
    if status < 0:
        return f"ended by signal {-status}" + (", perhaps for want of memory" * (status == -9))
    return f"ended with status {status} and no reason"
