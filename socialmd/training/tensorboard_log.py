"""A training in TensorBoard: scalars of every step and epoch, pictures, and what is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
from keras import ops

from socialmd.data import Windows
from socialmd.models import ForecastModel
from socialmd.simulation import PairLaw
from socialmd.training.event_file import EventFile, keep_events, pictures, scalars, texts
from socialmd.training.forecast_summaries import ForecastSummaries

__all__ = ["TensorBoardLog"]

RUNS = TRAIN, VALIDATION, BASELINE = "train", "validation", "best_baseline"


class TensorBoardLog(keras.callbacks.Callback):
    """Writes what TensorBoard shows of a training, in three runs.

        train                loss, metrics, gradient norm and learning rate of each batch
                             (`batch/`), by training steps since the very first; their means and
                             the learning rate by epoch (`epoch/`); by epoch, norms of the weights
                             (`weight_norm/`); texts
        validation           loss and metrics by epoch (`epoch/`); error at some steps ahead,
                             coverage of predicted regions, pictures (`forecast/`); the law that
                             was learned (`interaction/`)
        best_baseline        the error, at the same steps, of the simple forecast that is best there

    Everything is in the files before the callbacks after this one are called, backups in
    particular. A training that goes on from a backup writes the steps since that backup again;
    `keep` drops them before.

    Args:
        directory: for `tensorboard --logdir`.
        windows: of the validation split, to forecast after every epoch (see `ForecastSummaries`).
        texts: Markdown by name, written before the first step.
        training_split: batches to fit linear autoregression to, one of the simple forecasts then.
        law: of pairs of particles, where it is known, to compare a learned one with.

    Raises:
        ValueError: metrics are not built (see `record_steps`), or the data set's length is unknown.

    Example:
        >>> windows = read_windows("data/monopoles", "validation", config.data, 32)
        >>> log = TensorBoardLog("runs/mine/tensorboard", windows)
        >>> model.fit(train, validation_data=validation, epochs=50, callbacks=[log])
    """

    def __init__(
        self,
        directory: str | Path,
        windows: Windows,
        texts: Mapping[str, str] | None = None,
        training_split: Iterable[Any] | None = None,
        law: PairLaw | None = None,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.forecasts = ForecastSummaries(windows, training_split, law)
        self.texts = dict(texts or {})
        self.epochs_before = self.steps_before = 0

    def begin_phase(self, epochs_before: int, steps_before: int) -> None:
        """Count steps on from those of earlier phases, whose epochs had other numbers of steps."""
        self.epochs_before, self.steps_before = epochs_before, steps_before

    def keep(self, epochs: int, steps: int) -> None:
        """Drop from the log what an interrupted training is about to repeat.

        A running TensorBoard does not see that and has some points twice until it is started again.
        """
        for run in RUNS:
            for path in (self.directory / run).glob("*tfevents*"):
                keep_events(path, epochs, steps)

    def set_model(self, model: ForecastModel) -> None:
        super().set_model(model)
        self._values = model.record_steps()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.params["steps"] is None:
            raise ValueError(
                "fit: expected a data set of known length, found one of unknown length"
            )
        self.files = {run: EventFile(self.directory / run) for run in RUNS}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.epoch == batch == 0:
            self.files[TRAIN].write(0, texts(self.texts))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Not the optimizer's iterations, which leave out steps whose scaled loss was too large.
        epochs = self.epoch - self.epochs_before
        step = self.steps_before + epochs * self.params["steps"] + batch + 1
        values = {f"batch/{name}": value for name, value in self._values.read().items()}
        self.files[TRAIN].write(step, scalars(values))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        learning_rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        of_train = {"epoch/learning_rate": learning_rate}
        of_validation: dict[str, float] = {}
        for name, value in (logs or {}).items():
            means = of_validation if name.startswith("val_") else of_train
            means[f"epoch/{name.removeprefix('val_')}"] = value
        measured, figures = self.forecasts.measure(self.model)
        self.files[TRAIN].write(epoch, scalars({**of_train, **_weight_norms(self.model)}))
        self.files[VALIDATION].write(epoch, scalars({**of_validation, **measured}))
        self.files[VALIDATION].write(epoch, pictures(figures))
        self.files[BASELINE].write(epoch, scalars(self.forecasts.best_baseline))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        for file in self.files.values():
            file.close()


def _weight_norms(model: keras.Model) -> dict[str, float]:
    """Euclidean norm of all trainable weights together, and of each layer's."""
    weights = sorted(model.trainable_weights, key=_layer_of)
    squares = {
        layer: sum(float(ops.sum(ops.square(weight))) for weight in of_layer)
        for layer, of_layer in itertools.groupby(weights, key=_layer_of)
    }
    norms = {"all": sum(squares.values()), **squares}
    return {f"weight_norm/{layer}": square**0.5 for layer, square in norms.items()}


def _layer_of(weight: Any) -> str:
    """Path of the layer that a weight belongs to, without the model's name."""
    return "/".join(weight.path.split("/")[1:-1])
