"""Pictures of validation forecasts in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg

from socialmd.evaluation import position_density
from socialmd.plots import new_figure, plot_forecast

__all__ = ["ForecastImages"]


class ForecastImages(keras.callbacks.Callback):
    """Draws the model's forecast of the same validation windows after every epoch.

    Args:
        log_directory: where TensorBoard reads.
        inputs: [B, T, N, F], one picture for each of the first two.
        targets: [B, T', N, 2].
    """

    def __init__(self, log_directory: str | Path, inputs: Any, targets: Any) -> None:
        super().__init__()
        self.inputs = np.asarray(inputs)[:2]
        self.targets = np.asarray(targets)[:2]
        self.log_directory = str(log_directory)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.writer = tf.summary.create_file_writer(self.log_directory)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        forecasts, parameters = self.model.rollout(self.inputs, self.targets.shape[1])
        pictures = [
            self._draw(*sample)
            for sample in zip(self.inputs, self.targets, forecasts, parameters, strict=True)
        ]
        with self.writer.as_default():
            tf.summary.image("validation_forecasts", np.stack(pictures), step=epoch)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.writer.close()

    def _draw(self, past: Any, truth: Any, forecast: Any, parameters: Any) -> Any:
        half = 1.1 * float(np.abs(truth).max())
        extent = (-half, half, -half, half)
        density = position_density(self.model.distribution(parameters), extent, pixels=64)
        figure, ax = new_figure(5, 5)
        plot_forecast(ax, past[..., :2], truth, forecast, density, extent)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())
