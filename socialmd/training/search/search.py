"""A search for better hyperparameters, on one machine or many."""

from __future__ import annotations

import os
from pathlib import Path

from socialmd.claim import claim
from socialmd.config import ExperimentConfig, save_config
from socialmd.data.dataset_description import read_description
from socialmd.files import write_text
from socialmd.training.search.durable_oracle import make_oracle
from socialmd.training.search.hyperparameters import make_experiment, make_hyperparameters
from socialmd.training.search.trial_record import STATE, TrialRecord, read_trials, write_table
from socialmd.training.search.trial_tuner import TrialTuner, is_worker
from socialmd.training.training_folder import check_same_experiment, mark_folder

__all__ = ["search_hyperparameters"]

ALGORITHM, TABLE, BEST = "algorithm.txt", "trials.csv", "best.toml"


def search_hyperparameters(
    config: ExperimentConfig,
    data: str | Path,
    output: str | Path,
    algorithm: str = "tpe",
    max_trials: int = 40,
) -> list[TrialRecord]:
    """Try values of `[search]` for those that forecast the validation split best.

    In the output folder arise `config.toml` and `dataset.json` (what is searched on what data),
    `oracle.json` (the state of the search), `trial_00/`, ... (a training each, as
    `socialmd.training.fit` writes it, with `failure.txt` if it failed), and at the end `trials.csv`
    and `best.toml`, the best experiment, for `socialmd train`. It has as many epochs as
    `[training]` says. Called again after an interruption, the search goes on: trials that have
    ended are not repeated, one that ran goes on from its last backup. Called with more trials, it
    makes those in addition.

    With KerasTuner's environment variables `KERASTUNER_TUNER_ID`, `KERASTUNER_ORACLE_IP` and
    `KERASTUNER_ORACLE_PORT` this process is the chief of the search or one of its workers, which
    share the output folder; the results are written by the chief.

    Args:
        config: the experiment, with a table `[search]`.
        data: folder with `train/` and `validation/`.
        output: folder of the search.
        algorithm: `"tpe"`, `"bayesian"`, `"hyperband"` or `"random"`.
        max_trials: trials at most.

    Returns:
        The trials.

    Raises:
        FileNotFoundError: there is no such data set, or it lacks a split.
        ValueError: nothing is to be searched, there is no such algorithm, the folder holds another
            search, or one of KerasTuner's environment variables is missing.
        OSError: the folder cannot be written.
        FolderInUseError: another process searches there, as the chief or the same worker.

    Example:
        >>> config = load_config("search")
        >>> records = search_hyperparameters(config, "data/monopoles", "searches/tpe")
    """
    data, output = Path(data), Path(output)
    if config.search is None:
        raise ValueError("config: expected a table [search], which says what to vary, found none")
    if max_trials < 1:
        raise ValueError(f"max_trials: expected at least 1, found {max_trials}")
    _check_environment()
    description = read_description(data)
    for split in ("train", "validation"):
        if not description.files_of(split):
            raise FileNotFoundError(f"{data / split}: found no simulation")
    epochs = config.search.epochs or config.training.epochs
    space = make_hyperparameters(config.search)
    oracle = make_oracle(algorithm, space, max_trials, epochs, config.training.seed)
    check_same_experiment(output, config, data)
    _check_algorithm(output, algorithm)
    mark_folder(output, config, data)
    write_text(output / ALGORITHM, f"{algorithm}\n")
    if is_worker() and _is_complete(output, max_trials):  # no chief would answer any more
        return read_trials(output)

    with claim(output, name=os.environ.get("KERASTUNER_TUNER_ID", "chief")):
        TrialTuner(oracle, config, data, output).search()
    records = read_trials(output)
    if not is_worker():
        _write_results(config, output, records)
    return records


def _check_environment() -> None:
    """A worker that knows no chief would make the whole search by itself."""
    names = [f"KERASTUNER_{name}" for name in ("TUNER_ID", "ORACLE_IP", "ORACLE_PORT")]
    given = [name for name in names if os.environ.get(name)]
    if missing := [name for name in names if given and name not in given]:
        raise ValueError(
            f"{' and '.join(missing)}: expected in the environment of the chief and of every "
            f"worker, beside {' and '.join(given)}, found nothing"
        )


def _check_algorithm(output: Path, algorithm: str) -> None:
    file = output / ALGORITHM
    if file.is_file() and (found := file.read_text("utf-8").strip()) != algorithm:
        raise ValueError(
            f"algorithm: {output} holds a search with {found}, expected the same, "
            f"found {algorithm}; choose another folder or remove it"
        )


def _is_complete(output: Path, max_trials: int) -> bool:
    records = read_trials(output) if (output / STATE).is_file() else []
    has_ended = [record.status in ("COMPLETED", "FAILED") for record in records]
    return len(records) >= max_trials and all(has_ended)


def _write_results(config: ExperimentConfig, output: Path, records: list[TrialRecord]) -> None:
    write_table(output / TABLE, records)
    complete = [record for record in records if record.is_complete]
    if not complete:
        return
    best = min(complete, key=lambda record: record.losses["val_loss"])
    experiment = make_experiment(config, best.values)
    epochs = {"epochs": config.training.epochs}  # a trial's budget is not the model's
    training = experiment.training.model_copy(update=epochs)
    save_config(experiment.model_copy(update={"training": training}), output / BEST)
