"""Models small enough to be computed in NumPy, particle by particle, and what to ask them."""

import numpy as np

from socialmd.layers import NeighbourFilter
from socialmd.models import InteractionLSTM, SocialLSTM
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


D_SCALE, A_SCALE = 0.4, 0.1  # of an InteractionLSTM


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


def interacting_model(rng, filter="radial", dims=2, num_static=2, **arguments):
    """Built, every weight random but for scales that are not one."""
    layer = NeighbourFilter(
        filter, cutoff=4.0, minimum_distance=0.1, grid_sizes=(4.0, 2.0), grid_cells=4
    )
    defaults = {"target_steps": 3, "units": 5, "channels": 3, "hidden_units": 4, "substeps": 2}
    model = InteractionLSTM(interaction=layer, spatial_dims=dims, **{**defaults, **arguments})
    model.build((None, None, None, dims + num_static))
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    model.cell.displacement_scale.assign(D_SCALE)
    model.cell.acceleration_scale.assign(A_SCALE)
    model.cell.feature_mean.assign(np.full(num_static, 0.2))
    model.cell.feature_scale.assign(np.full(num_static, 1.5))
    model.error_by_step.assign([0.1, 0.2, 0.4][: model.target_steps])
    model.is_adapted.assign(1.0)
    return model


def wandering(rng, batch, steps, particles, dims, num_static, scale):
    """Particles that wander about, within reach of each other: [B, T, N, D + num_static]."""
    start = rng.uniform(-1.2, 1.2, size=(batch, 1, particles, dims))
    walk = np.cumsum(rng.normal(scale=scale, size=(batch, steps, particles, dims)), axis=1)
    static = rng.uniform(-1.0, 1.5, size=(batch, 1, particles, num_static)).repeat(steps, axis=1)
    return np.concatenate([start + walk, static], axis=-1).astype("float32")


def tiny_inputs(rng, batch=2, steps=3, particles=4):
    return wandering(rng, batch, steps, particles, dims=2, num_static=2, scale=0.3)


def interacting_inputs(rng, dims=2, batch=2, steps=4, particles=4, num_static=2):
    return wandering(rng, batch, steps, particles, dims, num_static, scale=0.2)


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
