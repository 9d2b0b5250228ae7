"""The folder that a training writes to: what is trained there, room for it, weights."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import keras

from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.data.dataset_description import DESCRIPTION_FILE, DatasetDescription, read_description
from socialmd.files import write_bytes
from socialmd.layers.grid import default_cells
from socialmd.models.trained_model import CONFIG_FILE

__all__ = [
    "check_room",
    "check_same_experiment",
    "experiment_texts",
    "load_without_optimizer",
    "mark_folder",
    "save_atomically",
    "tables_about",
]

# Best weights, two backups and one more file that is about to replace one of them; each holds
# weights and the optimizer's two moments in float32.
BYTES_PER_PARAMETER = 4 * 3 * 4
# TensorBoard's pictures and everything that does not grow with the model.
BYTES_BESIDES = 64 * 2**20


def check_same_experiment(output: Path, config: ExperimentConfig, data: Path) -> None:
    """Refuse a folder that holds a training of another configuration or on other data."""
    has_config, has_data = (output / CONFIG_FILE).is_file(), (output / DESCRIPTION_FILE).is_file()
    if not has_config and not has_data:
        return
    description = read_description(data)
    if has_config:
        found = load_config(output / CONFIG_FILE)
        before, now = (_spelled_out(each, description) for each in (found, config))
        if any(getattr(before, key) != getattr(now, key) for key in tables_about(description)):
            raise ValueError(
                f"{output}: holds the training of another configuration ({CONFIG_FILE}); "
                "choose another folder or remove it"
            )
    if has_data and (key := read_description(output).first_difference(description)) is not None:
        raise ValueError(
            f"{output}: holds a training on other data than {data}, with other {key} in "
            f"{DESCRIPTION_FILE}; choose another folder or remove it"
        )


def _spelled_out(config: ExperimentConfig, description: DatasetDescription) -> ExperimentConfig:
    """With the cells of grids that a model has by default: older files say 32."""
    if getattr(config.model, "grid_cells", 0) is not None:
        return config
    cells = default_cells(description.spatial_dims)
    model = config.model.model_copy(update={"grid_cells": cells})
    return config.model_copy(update={"model": model})


def tables_about(description: DatasetDescription) -> list[str]:
    """Tables of a configuration that say something about these data.

    Those of the simulated system say nothing about trajectories from elsewhere.
    """
    names = list(ExperimentConfig.model_fields)
    if description.simulation is None and description.law is None:
        names = [name for name in names if name not in ("system", "simulation")]
    return names


def check_room(output: Path, num_parameters: int) -> None:
    """Make the folder; refuse, before the first epoch, one that cannot take what training writes.

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
    """Say what is trained here: `config.toml` and a copy of the data's `dataset.json`."""
    save_config(config, output / CONFIG_FILE, tables_about(read_description(data)))
    write_bytes(output / DESCRIPTION_FILE, (data / DESCRIPTION_FILE).read_bytes())


def experiment_texts(output: Path) -> dict[str, str]:
    """What `mark_folder` has said, as Markdown for a log.

    `"configuration"`, a code block of TOML that `load_config` reads, and `"data"`, one of JSON:
    what `dataset.json` says, files counted instead of listed.
    """
    configuration = (output / CONFIG_FILE).read_text("utf-8")
    description = read_description(output)
    data = description.model_dump(mode="json", exclude_none=True)
    data["files"] = Counter(Path(name).parts[0] for name in description.files)
    data.get("preprocessing", {}).pop("files", None)  # one entry for each of them
    return {
        "configuration": f"```toml\n{configuration}```",
        "data": f"```json\n{json.dumps(data, indent=2, ensure_ascii=False)}\n```",
    }


def save_atomically(save: Callable[[str], object], path: Path) -> None:
    """Let one of Keras' functions save to a file that appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")  # Keras looks at the ending, so it has to stay
    try:
        save(str(temporary))
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_without_optimizer(model: keras.Model, path: Path) -> None:
    """Load a model's weights, and leave its optimizer as it is.

    Keras saves both together; the optimizer of another phase of training has other variables.
    """
    optimizer, model.optimizer = getattr(model, "optimizer", None), None
    try:
        model.load_weights(path)
    finally:
        model.optimizer = optimizer
