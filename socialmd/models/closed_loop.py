"""Closed loops: their inputs, and what of a predicted distribution is fed back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from socialmd import distributions
from socialmd.check_choice import check_choice
from socialmd.types import Mask, Shape, Tensor

__all__ = [
    "FEEDBACKS",
    "check_feedback",
    "check_inputs",
    "compile_loop",
    "feed_back",
    "last_box",
    "with_boxes",
]

FEEDBACKS = ("mean", "most_likely", "sample")


def check_inputs(
    shape: Shape,
    num_features: int | None = None,
    mask: Mask = None,
    spatial_dims: int = 2,
    max_particles: int | None = None,
) -> None:
    """Check the shape of inputs, to be [B, T >= 2, N, F >= D], and of a mask, to be [B, N].

    Lengths that are unknown pass; F and the largest N are those of a model that is built.
    """
    if len(shape) != 4 or shape[-1] is None or shape[-1] < spatial_dims:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with "
            f"{' and '.join('xyz'[:spatial_dims])} as the first features, "
            f"found shape {tuple(shape)}"
        )
    if shape[1] is not None and shape[1] < 2:
        raise ValueError(f"inputs: expected at least two time steps, found {shape[1]}")
    if num_features is not None and shape[-1] != num_features:
        raise ValueError(
            f"inputs: expected {num_features} features per particle, found {shape[-1]}"
        )
    if None not in (shape[2], max_particles) and shape[2] > max_particles:
        raise ValueError(
            f"inputs: expected at most the {max_particles} particles that the model was built for, "
            f"found {shape[2]}"
        )
    if mask is None:
        return
    found, expected = tuple(mask.shape), (shape[0], shape[2])
    known = [pair for pair in zip(found, expected, strict=False) if None not in pair]
    if len(found) != 2 or any(ours != theirs for ours, theirs in known):
        raise ValueError(
            f"mask: expected [batch, particles] = {list(expected)}, found shape {list(found)}"
        )


def check_feedback(feedback: str) -> None:
    """Refuse what is none of `FEEDBACKS`."""
    check_choice("feedback", feedback, FEEDBACKS)


def feed_back(
    distribution: distributions.Distribution,
    parameters: Tensor,
    feedback: str,
    seed: Tensor,
    step: Tensor,
) -> Tensor:
    """The next step's positions [..., D], from parameters [..., P].

        "mean"          of the predicted distribution. Of all points it is the one of least expected
                        squared error, it moves smoothly with the weights, and it is the same
                        whenever it is computed: the default.
        "most_likely"   mean of the mixture's component of largest weight. Never lies between two
                        ways that a particle may go, but jumps where two weights are equal.
        "sample"        one draw, in training another one in every step. Even then a likelihood asks
                        each step's density for that of the step given the past alone, whatever was
                        drawn before. Losses of futures (`EnergyScore`) ask for trajectories.

    The seed of draws and the step ahead are integers or tensors; every step draws afresh.
    """
    if feedback == "mean":
        return distribution.mean(parameters)
    if feedback == "most_likely":
        return distribution.most_likely_mean(parameters)
    seed_of_step = distributions.stateless_seed(seed, step)
    return distribution.from_parameters(parameters).sample(seed=seed_of_step)


def last_box(boxes: Tensor) -> Tensor:
    """Of the last given frame, [B, D, D], in which a forecast goes on; none of none."""
    return None if boxes is None else boxes[:, -1]


def with_boxes(frames: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
    """For a loop over frames [T, B, ...]: each with its box, if there are any, [B, T, D, D]."""
    return (frames,) if boxes is None else (frames, ops.swapaxes(boxes, 0, 1))


def compile_loop(model: keras.Model, loop: Callable[..., Any]) -> Callable[..., Any]:
    """A closed loop of a model as a graph, or, on JAX, compiled; arguments are positional."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(loop, reduce_retracing=True)
    import jax

    @partial(jax.jit, static_argnums=1)
    def compiled(values: list[Tensor], words: tuple[str | None, ...], tensors: Any) -> Any:
        arguments = (
            tensor if word is None else word for word, tensor in zip(words, tensors, strict=True)
        )
        # Variables are arguments: what is compiled would keep the values that they have now.
        with keras.StatelessScope(list(zip(model.variables, values, strict=True))):
            return loop(*arguments)

    def call(*arguments: Any) -> Any:
        words = tuple(each if isinstance(each, str) else None for each in arguments)
        tensors = [None if isinstance(each, str) else each for each in arguments]
        return compiled([variable.value for variable in model.variables], words, tensors)

    return call
