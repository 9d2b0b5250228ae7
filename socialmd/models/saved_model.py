"""SavedModel for inference where neither Keras nor this package is installed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "expected TensorFlow as the backend of Keras to export a SavedModel, found "
        f"{keras.backend.backend()}; set KERAS_BACKEND=tensorflow"
    )
import tensorflow as tf

from socialmd.claim import LOCK
from socialmd.data.check_trajectory import has_changed, is_not_one
from socialmd.data.masked_inputs import pack
from socialmd.files import UNFINISHED, put_in_place, unfinished_folder
from socialmd.models.forecast_model import ForecastModel
from socialmd.periodic_box import PeriodicBox
from socialmd.types import Mask, Tensor

__all__ = ["export_saved_model"]

SAVED_MODEL = ("assets", "variables", "fingerprint.pb", "saved_model.pb")


def export_saved_model(model: ForecastModel, path: str | Path) -> None:
    """Write a SavedModel with five endpoints or six; batch, steps T >= 2 and particles N are free.

        serve(inputs)                            T' steps, fed back as in training
        serve_padded(inputs, mask)               likewise, systems of different particle numbers
        rollout(inputs, num_steps)               any number of steps, fed back as in training
        rollout_padded(inputs, mask, num_steps)  likewise, systems of different particle numbers
        sample(inputs, num_steps, seed)          any number of steps, a sample fed back; fails if
                                                 the model's densities are marginal
        rollout_in_box(inputs, box, num_steps)   as rollout, in periodic boxes; of models that do
                                                 not read where in space particles are

    Each is also a signature of that name, and `serving_default` is `serve`. `inputs` is float32
    [B, T, N, F]; `mask` is bool [B, N], false for padded particles; `box` is float32 [B, D, D], box
    vectors as rows; `num_steps` and `seed` are int32 scalars. Each returns `positions`
    [B, steps, N, D] (of models of orientations, poses [B, steps, N, 2 D]) and `parameters`
    [B, steps, N, P] by name, in units of length, not recalibrated. A model trained on samples draws
    the same ones in every call of the first four with arrays of the same shape.

    What padded particles are in the inputs does not matter; in the answer they are zeros. Without
    particles or systems the answer is empty. Whoever calls it, however, these raise TensorFlow's
    `InvalidArgumentError`: fewer than two frames, more particles than the model takes, inputs that
    are not finite, features that change from frame to frame, a mask or box of another shape, a box
    less than twice as wide as particles see, `num_steps` below one, and a forecast that has become
    infinite.

    Args:
        model: a built model.
        path: folder to write; replaced if it holds an earlier export.

    Raises:
        ValueError: the model has no weights or scales yet, the folder holds something else, or
            TensorFlow could not load from a folder of this name.
        OSError: the folder cannot be written.
        FolderInUseError: another process is writing there.

    Example:
        >>> export_saved_model(model, "exported")
        >>> loaded = tf.saved_model.load("exported")  # TensorFlow alone from here on
        >>> loaded.rollout(inputs, tf.constant(200))["positions"].shape
        TensorShape([1, 200, 25, 2])
    """
    if not model.built:
        raise ValueError("model: expected one with weights; call it on data or load it first")
    model.check_adapted()
    path = Path(path)
    if odd := re.search(r"[][*?]", os.path.abspath(path)):
        raise ValueError(
            f"{path}: expected a path without {odd[0]!r}, by which TensorFlow would find "
            "other files when it loads the SavedModel; choose another folder"
        )
    if path.is_dir():
        ours = {*SAVED_MODEL, LOCK, UNFINISHED}
        if foreign := sorted({entry.name for entry in path.iterdir()} - ours):
            raise ValueError(f"{path}: expected a SavedModel or nothing, found {foreign}")
    with unfinished_folder(path) as folder:
        _archive(model).write_out(str(folder), verbose=False)
        put_in_place(folder, SAVED_MODEL)


def _archive(model: ForecastModel) -> keras.export.ExportArchive:
    inputs = tf.TensorSpec((None, None, None, model.num_features), tf.float32, name="inputs")
    mask = tf.TensorSpec((None, None), tf.bool, name="mask")
    num_steps = tf.TensorSpec((), tf.int32, name="num_steps")
    seed = tf.TensorSpec((), tf.int32, name="seed")

    def serve(inputs: Tensor) -> Tensor:
        return as_in_training(inputs, _all_real(inputs), model.target_steps)

    def serve_padded(inputs: Tensor, mask: Mask) -> Tensor:
        return as_in_training(inputs, mask, model.target_steps)

    def rollout(inputs: Tensor, num_steps: Tensor) -> Tensor:
        return as_in_training(inputs, _all_real(inputs), num_steps)

    def rollout_padded(inputs: Tensor, mask: Mask, num_steps: Tensor) -> Tensor:
        return as_in_training(inputs, mask, num_steps)

    def sample(inputs: Tensor, num_steps: Tensor, seed: Tensor) -> Tensor:
        return _forecast(model, inputs, _all_real(inputs), num_steps, "sample", seed)

    # A function of its own, so that four endpoints build the model's graph once.
    @tf.function(input_signature=[inputs, mask, num_steps], autograph=False)
    def as_in_training(inputs: Tensor, mask: Mask, num_steps: Tensor) -> Tensor:
        return _forecast(model, inputs, mask, num_steps, None, tf.constant(0))

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, [inputs])
    archive.add_endpoint("serve_padded", serve_padded, [inputs, mask])
    archive.add_endpoint("rollout", rollout, [inputs, num_steps])
    archive.add_endpoint("rollout_padded", rollout_padded, [inputs, mask, num_steps])
    archive.add_endpoint("sample", sample, [inputs, num_steps, seed])
    if not model.reads_places:
        box = tf.TensorSpec((None, model.spatial_dims, model.spatial_dims), tf.float32, name="box")

        def rollout_in_box(inputs: Tensor, box: Tensor, num_steps: Tensor) -> Tensor:
            real, seed = _all_real(inputs), tf.constant(0)
            return _forecast(model, inputs, real, num_steps, None, seed, _of_its_shape(box))

        archive.add_endpoint("rollout_in_box", rollout_in_box, [inputs, box, num_steps])
    return archive


def _all_real(inputs: Tensor) -> Tensor:
    inputs = _of_its_shape(inputs)
    batch, _, particles, _ = tf.unstack(tf.shape(inputs))
    return tf.fill((batch, particles), True)


def _of_its_shape(tensor: Tensor) -> Tensor:
    """The tensor, if it is as its signature says, to which TensorFlow itself does not hold it."""
    return tf.ensure_shape(tensor, tensor.shape)


def _forecast(
    model: ForecastModel,
    inputs: Tensor,
    mask: Mask,
    num_steps: Tensor,
    feedback: str | None,
    seed: Tensor,
    box: Tensor = None,
) -> dict[str, Any]:
    """What all endpoints compute, checked in the graph: no client can leave the checks out."""
    inputs, mask, num_steps, seed = map(_of_its_shape, (inputs, mask, num_steps, seed))
    with tf.control_dependencies(_checks(model, inputs, mask, num_steps, feedback)):
        num_steps = tf.identity(num_steps)
        real = tf.identity(mask)[:, None, :, None]
    inputs = tf.debugging.check_numerics(
        tf.where(real, inputs, 0.0), "inputs: expected finite numbers"
    )
    checks = [_check_constant(model, inputs), *_checks_of_directions(model, inputs, real)]
    if box is not None:
        checks += _checks_of_box(model, inputs, box)
    with tf.control_dependencies(checks):
        inputs = tf.identity(inputs)
    outputs = model.closed_loop(pack(inputs, mask, box), tf.range(num_steps), feedback, seed)
    message = "the forecast became infinite; ask for fewer steps"
    return {
        name: tf.debugging.check_numerics(tf.where(real, tensor, 0.0), message)
        for name, tensor in zip(("positions", "parameters"), outputs, strict=True)
    }


def _check_constant(model: ForecastModel, inputs: Tensor) -> Tensor:
    """An operation that fails if features change in time that are no coordinates."""
    columns = model.static_columns
    static = tf.gather(inputs, np.array(columns, int), axis=-1)
    changed = has_changed(static, static[:, :1])
    message = (
        f"inputs: expected features that stay the same in all frames, {columns}, found changes at "
        "[system, frame, particle, number among these]"
    )
    return tf.debugging.Assert(
        tf.logical_not(tf.reduce_any(changed)), [message, tf.where(changed)[:1]]
    )


def _checks_of_directions(model: ForecastModel, inputs: Tensor, real: Tensor) -> list[Tensor]:
    """An operation that fails unless all real particles point somewhere, if that is forecast."""
    if not (columns := model.orientation_columns):
        return []
    lengths = tf.norm(tf.gather(inputs, columns, axis=-1), axis=-1)
    is_wrong = tf.logical_and(real[..., 0], is_not_one(lengths))
    message = f"inputs: expected unit vectors in features {columns}, found lengths"
    return [
        tf.debugging.Assert(
            tf.logical_not(tf.reduce_any(is_wrong)), [message, tf.boolean_mask(lengths, is_wrong)]
        )
    ]


def _checks_of_box(model: ForecastModel, inputs: Tensor, box: Tensor) -> list[Tensor]:
    """Operations that fail if there is not one box for each system, or one is too small."""
    batch, found = tf.shape(inputs)[0], tf.shape(box)[0]
    widths = PeriodicBox.of(box).widths
    wide = tf.reduce_all(widths * (1 + 1e-6) >= 2 * model.reach)
    message = f"box: expected opposite faces at least {2 * model.reach:g} apart, found"
    return [
        tf.debugging.Assert(
            found == batch, ["box: expected one for each of", batch, "found", found]
        ),
        tf.debugging.Assert(wide, [message, widths]),
    ]


def _checks(
    model: ForecastModel, inputs: Tensor, mask: Mask, num_steps: Tensor, feedback: str | None
) -> list[Tensor]:
    """Operations that fail if arguments of these ranks contradict each other or the model."""
    batch, steps, particles, _ = tf.unstack(tf.shape(inputs))
    expected, found = tf.stack([batch, particles]), tf.shape(mask)
    same = tf.reduce_all(found == expected)
    checks = [
        (same, "mask: expected [batch, particles] =", expected, "as the inputs, found", found),
        (steps >= 2, "inputs: expected at least two time steps, found", steps),
        (num_steps >= 1, "num_steps: expected at least 1, found", num_steps),
    ]
    if feedback == "sample" and model.reason_against_samples:
        checks.append((tf.constant(False), f"sample: {model.reason_against_samples}"))
    if model.max_particles is not None:
        message = f"inputs: expected at most {model.max_particles} particles, found"
        checks.append((particles <= model.max_particles, message, particles))
    return [tf.debugging.Assert(condition, message) for condition, *message in checks]
