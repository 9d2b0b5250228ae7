"""A search in a process of its own whose trainings are pretended: `search_driver.py SECONDS`.

Reads from the environment what a test wants: CONFIG, DATA, OUTPUT, TRIALS and, for the chief,
SILENCE. All but the trainings, which take so many SECONDS each, is as always.
"""

import functools
import os
import sys
import time
from pathlib import Path

from socialmd import load_config
from socialmd.training.search import search_hyperparameters, trial_tuner

HISTORY = "epoch,loss,val_loss\n0,1.0,{loss}\n"


def pretend(_, task, seconds=0.0):
    """Takes its time, leaves a log, and notes in the search's folder that it has ended."""
    (task.folder / "started.txt").write_text(str(os.getpid()))
    time.sleep(seconds)
    loss = abs(task.values["model.units"] - 5) + task.values["training.learning_rate"]
    (task.folder / "history.csv").write_text(HISTORY.format(loss=loss))
    with open(task.folder.parent / "ended.txt", "a") as file:
        file.write(f"{task.folder.name} {loss!r}\n")
    return 0


if __name__ == "__main__":
    trial_tuner.run_apart = functools.partial(pretend, seconds=float(sys.argv[1]))
    trial_tuner.TrialTuner.silence_seconds = float(os.environ.get("SILENCE", "300"))
    search_hyperparameters(
        load_config(os.environ["CONFIG"]),
        Path(os.environ["DATA"]),
        Path(os.environ["OUTPUT"]),
        max_trials=int(os.environ["TRIALS"]),
    )
