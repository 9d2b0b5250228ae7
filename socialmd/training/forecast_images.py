"""Pictures of validation forecasts in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg

from socialmd.evaluation import position_density
from socialmd.models.check_inputs import unpack
from socialmd.plots import new_figure, plot_forecast

__all__ = ["ForecastImages"]

APART = 9  # windows


class ForecastImages(keras.callbacks.Callback):
    """Draws the model's forecast of the same validation windows after every epoch.

    Args:
        log_directory: where TensorBoard reads.
        inputs: a batch as `make_dataset` gives it; two windows that do not overlap are drawn.
        targets: [B, T', N, D]; of three coordinates, x and y are drawn.
    """

    def __init__(self, log_directory: str | Path, inputs: Any, targets: Any) -> None:
        super().__init__()
        frames, mask = unpack(inputs)
        self.inputs = np.asarray(frames)[::APART][:2]
        self.targets = np.asarray(targets)[::APART][:2]
        self.mask = None if mask is None else np.asarray(mask)[::APART][:2]
        self.log_directory = str(log_directory)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.writer = tf.summary.create_file_writer(self.log_directory)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        positions, parameters = self.model.rollout(
            self.inputs, self.targets.shape[1], mask=self.mask
        )
        real = np.ones(self.inputs.shape[::2], bool) if self.mask is None else self.mask  # [2, N]
        pictures = [
            self._draw(*(keras.ops.convert_to_numpy(tensor)[:, each] for tensor in sample))
            for *sample, each in zip(
                self.inputs, self.targets, positions, parameters, real, strict=True
            )
        ]
        with self.writer.as_default():
            tf.summary.image("validation_forecasts", np.stack(pictures), step=epoch)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.writer.close()

    def _draw(self, past: Any, truth: Any, forecast: Any, parameters: Any) -> Any:
        half = 1.1 * float(np.abs(truth).max())
        extent = (-half, half, -half, half)
        density = None
        if truth.shape[-1] == 2:
            density = position_density(self.model.distribution(parameters), extent, pixels=64)
        figure, ax = new_figure(5, 5)
        plot_forecast(ax, past[..., :2], truth[..., :2], forecast[..., :2], density, extent)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())
