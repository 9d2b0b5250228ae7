"""A training in TensorBoard: scalars of every step and epoch, pictures, and what is trained."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from socialmd.data import Windows
from socialmd.models import ForecastModel
from socialmd.simulation import PairLaw
from socialmd.training.forecast_summaries import ForecastSummaries

__all__ = ["TensorBoardLog", "keep_events"]

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
        self.writers = {
            run: tf.summary.create_file_writer(str(self.directory / run)) for run in RUNS
        }
        # One call a step, and compiled: `tf.summary.scalar` by itself costs ten times as much.
        self._write_step = tf.function(self._write_step_values, autograph=False)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.epoch == batch == 0:
            with self.writers[TRAIN].as_default(step=0):
                for name, text in self.texts.items():
                    tf.summary.text(name, text)
            self.writers[TRAIN].flush()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Not the optimizer's iterations, which leave out steps whose scaled loss was too large.
        epochs = self.epoch - self.epochs_before
        step = self.steps_before + epochs * self.params["steps"] + batch + 1
        self._write_step(tf.constant(step, tf.int64))
        self.writers[TRAIN].flush()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        learning_rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        of_train = {"epoch/learning_rate": learning_rate}
        of_validation: dict[str, float] = {}
        for name, value in (logs or {}).items():
            means = of_validation if name.startswith("val_") else of_train
            means[f"epoch/{name.removeprefix('val_')}"] = value
        scalars, figures = self.forecasts.measure(self.model)
        self._write(TRAIN, epoch, {**of_train, **_weight_norms(self.model)})
        self._write(VALIDATION, epoch, {**of_validation, **scalars}, figures)
        self._write(BASELINE, epoch, self.forecasts.best_baseline)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        for writer in self.writers.values():
            writer.close()

    def _write_step_values(self, step: tf.Tensor) -> None:
        values = tf.convert_to_tensor(self._values.variable)
        with self.writers[TRAIN].as_default(step=step):
            for index, name in enumerate(self._values.names):
                tf.summary.scalar(f"batch/{name}", values[index])

    def _write(
        self,
        run: str,
        epoch: int,
        scalars: Mapping[str, float],
        figures: Mapping[str, list[Figure]] | None = None,
    ) -> None:
        with self.writers[run].as_default(step=epoch):
            for tag, value in scalars.items():
                tf.summary.scalar(tag, value)
            for tag, drawn in (figures or {}).items():
                tf.summary.image(tag, np.stack([_pixels(figure) for figure in drawn]))
        self.writers[run].flush()


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


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """[height, width, 4]"""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def keep_events(path: Path, epochs: int, steps: int) -> None:
    """Drop the events that an interrupted training repeats, as `keep_epochs` does with epochs.

    Those of `epochs` that are complete, and of `steps` since the very first, stay. The file is
    replaced as a whole, and removed if nothing stays.
    """
    if steps == 0:
        path.unlink()
        return
    temporary = path.with_name(".kept")  # whose name TensorBoard does not take for a log's
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record in _records(path):
                if _stays(tf.compat.v1.Event.FromString(record), epochs, steps):
                    writer.write(record)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _records(path: Path) -> Iterator[bytes]:
    """All but one that a killed process has left half-written at the end."""
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.DataLossError:
        return


def _stays(event: tf.compat.v1.Event, epochs: int, steps: int) -> bool:
    group, _, name = event.summary.value[0].tag.partition("/") if event.summary.value else ("",) * 3
    is_by_epoch = name and group != "batch"
    return bool(event.step < epochs if is_by_epoch else event.step <= steps)
