"""Refuse inputs of another shape than the model's."""

from __future__ import annotations

from typing import Any

__all__ = ["check_inputs"]


def check_inputs(
    shape: Any, num_features: int | None = None, mask_shape: Any | None = None
) -> None:
    """Check the shapes of a model's call arguments; unknown dimensions pass.

    Args:
        shape: of the inputs, to be [B, T >= 2, N, F >= 2].
        num_features: F of a model that is built.
        mask_shape: to be [B, N], if there is a mask.

    Raises:
        ValueError: a shape is another; the message says which and what was found.
    """
    if len(shape) != 4 or shape[-1] is None or shape[-1] < 2:
        raise ValueError(
            "inputs: expected [batch, steps, particles, features] with x and y as the first "
            f"features, found shape {tuple(shape)}"
        )
    if shape[1] is not None and shape[1] < 2:
        raise ValueError(f"inputs: expected at least two time steps, found {shape[1]}")
    if num_features is not None and shape[-1] != num_features:
        raise ValueError(
            f"inputs: expected {num_features} features per particle, found {shape[-1]}"
        )
    if mask_shape is not None:
        _check_mask(tuple(mask_shape), (shape[0], shape[2]))


def _check_mask(found: tuple[int | None, ...], expected: tuple[int | None, ...]) -> None:
    known = [pair for pair in zip(found, expected, strict=False) if None not in pair]
    if len(found) != 2 or any(ours != theirs for ours, theirs in known):
        raise ValueError(
            f"mask: expected [batch, particles] = {list(expected)}, found shape {list(found)}"
        )
