"""Random numbers that are functions of their seeds alone, on either backend."""

from __future__ import annotations

import keras
from keras import ops

from socialmd.types import Shape, Tensor

__all__ = ["draw", "fold_in", "stateless_seed"]

if keras.backend.backend() == "jax":
    from jax import random
else:
    from tensorflow import random


def stateless_seed(seed: Tensor, step: Tensor) -> Tensor:
    """Seed for `distribution.sample`, a function of its arguments alone.

    Args:
        seed: integer.
        step: integer; may be a tensor, so that a compiled loop draws afresh in every step.

    Returns:
        int32 [2], or a key on JAX.
    """
    seed, step = ops.cast(seed, "int32"), ops.cast(step, "int32")
    if keras.backend.backend() == "jax":
        return random.fold_in(random.key(seed), step)
    return ops.stack([seed, step])


def fold_in(seed: Tensor, number: int) -> Tensor:
    """Another seed for each number, as `stateless_seed` makes them."""
    return random.fold_in(seed, number)


def draw(law: str, shape: Shape, seed: Tensor, *parameters: Tensor) -> Tensor:
    """Independent float32 numbers: `"normal"`, `"uniform"` on [0, 1), or `"gamma"` of rate 1.

    The parameter of `"gamma"` is its concentration, through which gradients flow.
    """
    if keras.backend.backend() == "jax":
        return ops.cast(getattr(random, law)(seed, *parameters, shape), "float32")
    return getattr(random, f"stateless_{law}")(shape, seed, *parameters)
