"""TensorFlow Probability in the face that fits Keras' backend. No other module imports it."""

from __future__ import annotations

import warnings
from typing import Any

import keras

__all__ = ["is_differentiable", "linalg", "stateless_seed", "tfd"]

if keras.backend.backend() == "jax":
    from jax import core
    from jax.interpreters import xla

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # TensorFlow Probability 0.25 registers a type in a table that JAX has since moved.
        xla.pytype_aval_mappings = core.pytype_aval_mappings
        import tensorflow_probability.substrates.jax as tfp
    linalg: Any = tfp.tf2jax.linalg
else:
    import tensorflow as tf
    import tensorflow_probability as tfp

    linalg = tf.linalg

tfd = tfp.distributions


def is_differentiable(distribution: Any) -> bool:
    """Whether gradients flow through draws to all parameters of a distribution of `tfd`."""
    return distribution.reparameterization_type == tfd.FULLY_REPARAMETERIZED


def stateless_seed(seed: Any, step: Any) -> Any:
    """Seed for `distribution.sample`, a function of its arguments alone.

    Args:
        seed: integer.
        step: integer; may be a tensor, so that a compiled loop draws afresh in every step.

    Returns:
        int32 [2], or a key on JAX.
    """
    stacked = keras.ops.stack([keras.ops.cast(seed, "int32"), keras.ops.cast(step, "int32")])
    if keras.backend.backend() == "jax":
        import jax

        return jax.random.fold_in(jax.random.key(stacked[0]), stacked[1])
    return stacked
