"""The folder that a training writes to."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.data.dataset_description import DESCRIPTION_FILE, DatasetDescription, read_description
from socialmd.files import write_atomically
from socialmd.models.trained_model import CONFIG_FILE

__all__ = ["check_room", "check_same_experiment", "mark_folder", "tables_about"]

# Best weights, two backups and one more file that is about to replace one of them; each holds
# weights and the optimizer's two moments in float32.
BYTES_PER_PARAMETER = 4 * 3 * 4
# TensorBoard's pictures and everything that does not grow with the model.
BYTES_BESIDES = 64 * 2**20


def check_same_experiment(output: Path, config: ExperimentConfig, data: Path) -> None:
    """Refuse to mix two experiments in one folder.

    Args:
        output: the folder; it need not exist.
        config: the experiment.
        data: its data set.

    Raises:
        ValueError: the folder holds a training of another configuration or on other data.
    """
    if not (output / CONFIG_FILE).is_file() and not (output / DESCRIPTION_FILE).is_file():
        return
    description = read_description(data)
    if (output / CONFIG_FILE).is_file() and not _is_same(
        load_config(output / CONFIG_FILE), config, description
    ):
        raise ValueError(
            f"{output}: holds the training of another configuration ({CONFIG_FILE}); "
            "choose another folder or remove it"
        )
    if not (output / DESCRIPTION_FILE).is_file():
        return
    if (key := read_description(output).first_difference(description)) is not None:
        raise ValueError(
            f"{output}: holds a training on other data than {data}, with other {key} in "
            f"{DESCRIPTION_FILE}; choose another folder or remove it"
        )


def tables_about(description: DatasetDescription) -> list[str]:
    """Tables of a configuration that say something about these data.

    Those of the simulated system say nothing about trajectories from elsewhere.
    """
    names = list(ExperimentConfig.model_fields)
    if description.simulation is None and description.law is None:
        names = [name for name in names if name not in ("system", "simulation")]
    return names


def _is_same(
    found: ExperimentConfig, config: ExperimentConfig, description: DatasetDescription
) -> bool:
    tables = tables_about(description)
    return all(getattr(found, name) == getattr(config, name) for name in tables)


def check_room(output: Path, num_parameters: int) -> None:
    """Refuse, before the first epoch, a folder that cannot take what training writes.

    Args:
        output: the folder, made if it does not exist.
        num_parameters: of the model.

    Raises:
        OSError: the folder cannot be written, or its disk has too little room.
    """
    needed = BYTES_PER_PARAMETER * num_parameters + BYTES_BESIDES
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
        available = shutil.disk_usage(output).free
    except OSError as error:
        raise OSError(
            f"{output}: expected a folder to write {needed} bytes to, found {error}"
        ) from error
    if available < needed:
        raise OSError(
            f"{output}: training needs {needed} bytes for weights, backups and log, "
            f"found {available} bytes available"
        )


def mark_folder(output: Path, config: ExperimentConfig, data: Path) -> None:
    """Say what is trained here: `config.toml` and a copy of the data's `dataset.json`.

    Args:
        output: the folder.
        config: the experiment.
        data: its data set.

    Raises:
        OSError: the folder cannot be written.
    """
    save_config(config, output / CONFIG_FILE, tables_about(read_description(data)))
    description = (data / DESCRIPTION_FILE).read_bytes()
    write_atomically(output / DESCRIPTION_FILE, lambda file: file.write(description))
