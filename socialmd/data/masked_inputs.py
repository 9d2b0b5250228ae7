"""Inputs of a model with or without a mask, in the one form in which masks travel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["pack", "unpack"]


def pack(inputs: Any, mask: Any | None) -> Any:
    """Inputs with their mask, as data sets give them and models take them.

    Args:
        inputs: [B, T, N, F].
        mask: bool [B, N], false for padded particles; none if there are none.

    Returns:
        The inputs themselves, or a dictionary of `"inputs"` and `"mask"`.
    """
    return inputs if mask is None else {"inputs": inputs, "mask": mask}


def unpack(inputs: Any) -> tuple[Any, Any | None]:
    """Frames and mask of such inputs.

    Args:
        inputs: [B, T, N, F], or a dictionary of such `"inputs"` and of a `"mask"`.

    Returns:
        Inputs [B, T, N, F] and mask [B, N] or nothing.

    Raises:
        ValueError: the dictionary has other keys.
    """
    if not isinstance(inputs, Mapping):
        return inputs, None
    if inputs.keys() != {"inputs", "mask"}:
        raise ValueError(
            f"inputs: expected an array, or a dictionary of inputs and mask, found {sorted(inputs)}"
        )
    return inputs["inputs"], inputs["mask"]
