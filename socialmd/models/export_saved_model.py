"""SavedModel for inference where neither Keras nor this package is installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from socialmd.models.forecast_model import ForecastModel

__all__ = ["export_saved_model"]

SAVED_MODEL = {"assets", "fingerprint.pb", "saved_model.pb", "variables"}


def export_saved_model(model: ForecastModel, path: str | Path) -> None:
    """Write a SavedModel with three endpoints; batch, steps T >= 2 and particles N are free.

        serve(inputs)                            T' steps, fed back as in training
        rollout(inputs, num_steps)               any number of steps, fed back as in training
        sample(inputs, num_steps, seed)          any number of steps, a sample fed back

    `inputs` is float32 [B, T, N, F]; `num_steps` and `seed` are int32 scalars. Each returns
    `positions` [B, steps, N, 2] and `parameters` [B, steps, N, P] by name, in units of length, not
    recalibrated. A model trained on samples draws the same ones in every call of the first two.

    Args:
        model: a built model.
        path: folder to write; replaced if it holds an earlier export.

    Raises:
        ValueError: the model has no weights or scales yet, or the folder holds something else.
        OSError: the folder cannot be written.

    Example:
        >>> export_saved_model(model, "exported")
        >>> loaded = tf.saved_model.load("exported")
        >>> loaded.rollout(inputs, tf.constant(200))["positions"].shape
        TensorShape([1, 200, 25, 2])
    """
    if not model.built:
        raise ValueError("model: expected one with weights; call it on data or load it first")
    model.check_adapted()
    path = Path(os.path.abspath(path))
    foreign = {entry.name for entry in path.iterdir()} - SAVED_MODEL if path.exists() else set()
    if foreign:
        raise ValueError(f"{path}: expected a SavedModel or nothing, found {sorted(foreign)}")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    earlier = path.with_name(f".{path.name}.{os.getpid()}.earlier")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    try:
        _archive(model).write_out(str(temporary), verbose=False)
        if path.exists():
            os.replace(path, earlier)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def _archive(model: ForecastModel) -> keras.export.ExportArchive:
    inputs = tf.TensorSpec((None, None, None, model.num_features), tf.float32, name="inputs")
    num_steps = tf.TensorSpec((), tf.int32, name="num_steps")
    seed = tf.TensorSpec((), tf.int32, name="seed")

    def serve(inputs: Any) -> dict[str, Any]:
        return rollout(inputs, model.target_steps)

    def rollout(inputs: Any, num_steps: Any) -> dict[str, Any]:
        return named(model.forecast(inputs, tf.range(num_steps)))

    def sample(inputs: Any, num_steps: Any, seed: Any) -> dict[str, Any]:
        return named(model.forecast(inputs, tf.range(num_steps), "sample", seed))

    def named(outputs: tuple[Any, Any]) -> dict[str, Any]:
        return dict(zip(("positions", "parameters"), outputs, strict=True))

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, [inputs])
    archive.add_endpoint("rollout", rollout, [inputs, num_steps])
    archive.add_endpoint("sample", sample, [inputs, num_steps, seed])
    return archive
