"""Half precision is for the layers' arithmetic: not for weights, positions, cells or the loss."""

import keras
import numpy as np
import pytest

from socialmd.config import TrainingConfig
from socialmd.layers import StackedPoolingConv2D, StackedStatePooling
from socialmd.models import SocialLSTM
from socialmd.training import compile_model
from tests.tiny_models import TINY, tiny_inputs

HALVES = ("mixed_bfloat16", "mixed_float16")
GRIDS = {"grid_sizes": (4.0, 2.0), "grid_cells": 8}


def trained_model(frames, precision, steps=20, run_eagerly=False, **options):
    """A model after some steps from the same weights, and its loss before each of them."""
    keras.utils.set_random_seed(5)
    inputs, targets = frames[:, :3], frames[:, 3:, :, :2]
    model = SocialLSTM(**{**TINY, **options}, dtype=precision)
    model.adapt([(inputs, targets)])
    compile_model(model, TrainingConfig(learning_rate=0.01, gradient_clip_norm=1.0))
    model.run_eagerly = run_eagerly
    losses = [model.train_on_batch(inputs, targets)[0] for _ in range(steps)]
    return model, np.array(losses)


@pytest.fixture(scope="module")
def frames():
    return tiny_inputs(np.random.default_rng(17), batch=8, steps=6)


@pytest.fixture(scope="module")
def losses_in_float32(frames):
    return trained_model(frames, "float32")[1]


@pytest.mark.parametrize("precision", HALVES)
def test_training_goes_as_in_float32(frames, losses_in_float32, precision, tmp_path):
    model, losses = trained_model(frames, precision)
    assert model.cell.compute_dtype == precision.removeprefix("mixed_")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert np.isfinite(losses).all()
    # Rounding to 8 bits; and the first steps of float16 may find that their loss is scaled too far.
    np.testing.assert_allclose(losses[-1], losses_in_float32[-1], atol=0.3)
    assert losses[-1] < losses[0] - 2.0

    inputs = frames[:, :3]
    positions, parameters = model.rollout(inputs, num_steps=50)
    assert positions.dtype == parameters.dtype == "float32"
    assert np.isfinite(positions).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert loaded.dtype_policy == model.dtype_policy
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize("distribution", ["mixture", "correlated_mixture"])
def test_mixtures_stay_finite_in_bfloat16(frames, distribution):
    options = {"distribution": distribution, "grid_sizes": ()}  # as fast as compiled then
    model, losses = trained_model(frames, "mixed_bfloat16", 15, run_eagerly=True, **options)
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0] - 0.4
    _, parameters = model.rollout(frames[:, :3], num_steps=20, feedback="sample", seed=0)
    assert parameters.dtype == "float32"
    assert np.isfinite(model.distribution(parameters).log_prob(np.zeros(2, "float32"))).all()


@pytest.mark.parametrize("precision", HALVES)
def test_neighbours_are_pooled_into_the_same_cells(rng, precision):
    """Cells of 1/2 and 1/4 at 100, where bfloat16 knows every half and float16 every 1/16."""
    positions = 100.0 + rng.uniform(-1.5, 1.5, size=(2, 20, 2)).astype("float32")
    ones = np.ones((2, 20, 1))
    for make in (
        lambda dtype: StackedStatePooling(**GRIDS, dtype=dtype),
        lambda dtype: StackedPoolingConv2D(1, 3, **GRIDS, dtype=dtype),
    ):
        counts = []
        for dtype in ("float32", precision):
            layer = make(dtype)
            layer.build(positions.shape, ones.shape)
            for weight in layer.weights:  # so that all sums are small integers, exact in any dtype
                weight.assign(np.ones(weight.shape))
            pooled = layer(positions, keras.ops.cast(ones, layer.compute_dtype))
            counts.append(np.asarray(keras.ops.cast(pooled, "float32")))
        assert pooled.dtype == precision.removeprefix("mixed_")
        assert counts[0].max() >= 2
        np.testing.assert_array_equal(counts[1], counts[0])
