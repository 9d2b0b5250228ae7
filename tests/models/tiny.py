"""A SocialLSTM small enough to be computed by the reference, particle by particle."""

import numpy as np

from socialmd.models import SocialLSTM
from tests import reference

TINY = {
    "target_steps": 3,
    "units": 8,
    "embedding_dim": 4,
    "grid_sizes": (4.0, 2.0),
    "grid_cells": 8,
    "filters": (3, 4),
    "kernel_size": 3,
}
PREDICTIONS = ("position", "displacement", "acceleration")
SCALES = {
    "displacement_scale": 0.5,
    "acceleration_scale": 0.2,
    "error_by_step": (0.3, 0.5, 0.9),
}


def tiny_model(rng, num_features=4, **arguments):
    """Built, every weight (biases too) random, scales that are not one."""
    model = SocialLSTM(**{**TINY, **arguments})
    model.build((None, None, None, num_features))
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.4, size=weight.shape))
    for name, scale in SCALES.items():
        if (variable := getattr(model, name, None)) is not None:
            variable.assign(np.resize(scale, variable.shape))
    model.is_adapted.assign(1.0)
    return model


def tiny_inputs(rng, batch=2, steps=3, particles=4):
    """Particles that wander about, within reach of each other: [B, T, N, 4]."""
    start = rng.uniform(-1.2, 1.2, size=(batch, 1, particles, 2))
    walk = np.cumsum(rng.normal(scale=0.3, size=(batch, steps, particles, 2)), axis=1)
    features = rng.uniform(-1.0, 1.5, size=(batch, 1, particles, 2)).repeat(steps, axis=1)
    return np.concatenate([start + walk, features], axis=-1).astype("float32")


def weights_of(model):
    """Weights by layer and name, `"lstm/kernel"`, in float64."""
    return {
        "/".join(weight.path.split("/")[-2:]): np.array(weight.value, float)
        for weight in model.trainable_weights
    }


def reference_forecast(model, inputs, weights=None, **arguments):
    config = model.get_config()
    names = ("target_steps", "grid_sizes", "grid_cells", "distance_filter", "downsampling")
    return reference.forecast(
        weights_of(model) if weights is None else weights,
        inputs,
        **{
            **{name: config[name] for name in (*names, "prediction")},
            **SCALES,
            **arguments,
        },
    )
