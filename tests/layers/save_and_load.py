"""A layer in a model, in a file and back."""

import keras
import numpy as np


def save_and_load(layer, data, folder):
    """Check that a layer comes back as it was; the shape of what it gives, for any numbers.

    Args:
        layer: built.
        data: arrays [B, N, ...] to call it with, one argument each.
        folder: to write to.
    """
    inputs = [keras.Input((None, *array.shape[2:]), dtype=str(array.dtype)) for array in data]
    model = keras.Model(inputs, layer(*inputs))
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    np.testing.assert_array_equal(loaded(data), model(data))
    assert loaded.get_layer(layer.name).get_config() == layer.get_config()
    return model.output_shape
