"""Trained models on disk, each beside the configuration of its experiment."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Self

import keras

# Files of compiled models name classes of theirs; Keras finds those that have been imported.
import socialmd.losses
import socialmd.metrics  # noqa: F401
from socialmd.config import ExperimentConfig, load_config, save_config
from socialmd.files import put_in_place, unfinished_folder
from socialmd.presets import find_model

__all__ = ["CONFIG_FILE", "MODEL_FILE", "TrainedModel"]

MODEL_FILE = "model.keras"
CONFIG_FILE = "config.toml"


class TrainedModel(keras.Model):
    """A model that knows its experiment, and comes from presets and becomes one."""

    _experiment: ExperimentConfig | None = None

    @property
    def experiment(self) -> ExperimentConfig:
        """What the model was built for or loaded with; an `AttributeError` if that is unknown."""
        if self._experiment is None:
            raise AttributeError(  # which Keras expects of an attribute that is not set yet
                "model: expected one that `build_model` has made or that was loaded with its "
                "configuration, found one of neither; assign `model.experiment`"
            )
        return self._experiment

    @experiment.setter
    def experiment(self, experiment: ExperimentConfig) -> None:
        self._experiment = experiment

    @classmethod
    def from_preset(cls, name_or_path: str | Path) -> Self:
        """Load a trained model of this class, by name or path, as `socialmd.models.load` does.

        Raises:
            FileNotFoundError: the folder or a file is missing, or nothing has this name.
            ValueError: a file is not what its name says, or holds a model of another class.

        Example:
            >>> model = InteractionLSTM.from_preset("interaction")
        """
        path = find_model(name_or_path).absolute()
        file = path if path.suffix == ".keras" else path / MODEL_FILE
        for needed in (file.parent, file, file.parent / CONFIG_FILE):
            if not needed.exists():
                raise FileNotFoundError(
                    f"{needed}: not found; expected a folder with {MODEL_FILE} and {CONFIG_FILE}, "
                    f"or a .keras file with {CONFIG_FILE} beside it"
                )
        if not zipfile.is_zipfile(file):
            raise ValueError(
                f"{file}: expected a model of Keras, found a damaged file, or none of that kind; "
                "if it was copied or downloaded, it is cut short"
            )
        config = load_config(file.parent / CONFIG_FILE)
        try:
            model = keras.saving.load_model(file, compile=False)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise ValueError(f"{file}: not a model that Keras can load: {error}") from error
        if not isinstance(model, cls):
            raise ValueError(
                f"{file}: expected a model of class {cls.__name__}, found one of class "
                f"{type(model).__name__}"
            )
        model.experiment = config
        return model

    def save_to_preset(self, folder: str | Path, config: ExperimentConfig | None = None) -> None:
        """Write a folder that `from_preset` and all commands take: both files, or none.

        Args:
            folder: made if it does not exist; whatever else is in it stays.
            config: of the experiment; the model's own if none is given.

        Raises:
            AttributeError: no configuration is given, and the model has none.
            ValueError: the model is not built.
            OSError: the files cannot be written; those of before stay then.
            FolderInUseError: another process is writing there.

        Example:
            >>> model.save_to_preset("runs/mine")
            >>> socialmd.models.load("runs/mine")
        """
        config = config or self.experiment
        if not self.built:
            raise ValueError("model: expected one that is built, found one without weights")
        with unfinished_folder(folder) as unfinished:
            self.save(unfinished / MODEL_FILE)
            save_config(config, unfinished / CONFIG_FILE)
            put_in_place(unfinished, (CONFIG_FILE, MODEL_FILE))
